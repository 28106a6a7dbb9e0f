"""What is heard, for Home Assistant over MQTT: sensors by discovery, and events."""

from serving.mqtt.broker import Broker
from serving.mqtt.publisher import MqttPublisher
from serving.mqtt.settings import MqttSettings, Room

__all__ = ["Broker", "MqttPublisher", "MqttSettings", "Room"]

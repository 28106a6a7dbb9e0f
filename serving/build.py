"""Make the engine that the configuration asks for. Imported late, so that `--print-config` loads no model."""

from __future__ import annotations

from pathlib import Path

from serving.config import Config
from serving.handle import Engine
from serving.metrics import Metrics, NoMetrics
from soundflow.errors import ConfigError


def adapter_folder(config: Config) -> Path | None:
    """The adapter to load: a folder, the name of an installed version, or the current one; None is the built-in, or
    that of the model folder.

    Raises:
        ConfigError, WeightsError: there is no such adapter, or it is not what it was when it was added.
    """
    from serving import versions

    if config.model is not None:
        return None
    if not config.adapter:
        return versions.Store().current_folder()
    if (path := Path(config.adapter).expanduser()).is_dir():
        return path
    return versions.Store().folder(config.adapter)


async def build_engine(config: Config, metrics: Metrics | NoMetrics) -> Engine:
    """Load the tier and start its engine; takes seconds.

    Raises:
        ConfigError, WeightsError: says what to install or change.
    """
    if config.model is None and config.tier != "nano":
        raise ConfigError(f"tier: 'nano' was expected, got {config.tier!r}; another tier is a folder, as `model`")
    if config.model is not None and config.adapter:
        raise ConfigError("model: expected without an adapter, as the folder has its own")
    if config.engine == "ray":
        try:
            from serving.ray.engine import RayEngine
        except ImportError as error:
            raise ConfigError(f"engine: ray is not installed ({error}); run `pip install 'soundflow[ray]'`") from error
        return await RayEngine.create(config, adapter_folder(config), metrics)
    from serving.local import LocalEngine

    return await LocalEngine.create(config, adapter_folder(config), metrics)

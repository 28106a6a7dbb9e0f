"""The packages of `package_sounds` as they lay in the pool of their release, and the files that are left out."""

from __future__ import annotations

from typing import Final

POOLS: Final = {
    "debian": "http://deb.debian.org/debian/pool/",
    "ubuntu": "http://archive.ubuntu.com/ubuntu/pool/",
}
_PINS: Final = """
debian:main/7/7kaa/7kaa-data_2.15.5+dfsg-1_all.deb 31086068
    a30127479ec1ac172c94718de93470789d14efd3ca14ca3e832ea72a8a909725
debian:main/a/aclock.app/aclock.app_0.4.0-2+b4_amd64.deb 169480
    079a9c8df4195dd8f2f4e49401c17430d83c5cecee23d3437e287fbe406557e7
debian:main/a/afterstep/afterstep-data_2.2.12-15_all.deb 3046176
    76041ff0b6ff896a69cc4724b50e485f7d30447dfd5a28793a3c0532ed72f1b1
debian:main/a/ardentryst/ardentryst_1.71-9_all.deb 24249392
    7a01180285a4acaa980b18118127c60ac0377f4e2bcd69244b1feb7de5fc566f
debian:main/b/blupimania/blupimania-common_1.6.3-2_all.deb 15106876
    0175a47689f0121a9bb9b6c1adcd765211fbe1524c723bc260a5d40fd201f9e4
debian:main/b/btanks/btanks-data_0.9.8083-9_all.deb 26408548
    fbe1a476d95c68fe73d87715f4f0aecc1bc5428a979cd19451722665c9dbb5ae
ubuntu:universe/b/bucklespring/bucklespring-data_1.4.0-2_all.deb 2627254
    91ef0a6eafc4ca932f1e4f3a242c4fa19fd518548e84bf40b9519d8e20ac55dd
ubuntu:universe/b/bve-route-cross-city-south/bve-route-cross-city-south_1.31.08-0ubuntu2_all.deb 14110920
    6fee920c7d450bcb7028265334c4b6d8174db58297df2e4d5f3749f689662360
ubuntu:universe/b/bve-train-br-class-323/bve-train-br-class-323_4.0.1809-0ubuntu3_all.deb 10590450
    f15a198fa279bcc88cc4058f535bb5e9c91bff88350e9479663e9b7c9ac6c1ea
debian:main/c/c-evo-dh/c-evo-dh-data_2.5-1_all.deb 5355256
    9f644dd28fb0a064fc65fdbf9b3f77217f8934e142e7c0fe87427aa59cb54ba2
debian:main/c/cdogs-sdl/cdogs-sdl-data_2.1.0+dfsg-2_all.deb 28118720
    5fc1f554df72653b870cdf62dd4e9aefa88a996d8b13de7d5b1ad084245b2503
ubuntu:universe/c/childsplay/childsplay_3.3-2ubuntu1_all.deb 29466272
    f87360d43c27085822ac0b96a22ba3f3553b581e6405869a6341f8968d966a0c
ubuntu:universe/c/chuck/chuck-data_1.5.5.0-1_all.deb 12746034
    41de1241f5212a81f7a86ce564792266cfb3cdcc3c2307348d312fae9d263e8d
debian:main/c/circuslinux/circuslinux-data_1.0.3-34.1_all.deb 1058816
    0ebf20793f5fdfab35b05906b483d0b8b78bac543121154e89bfedfca09b6af0
debian:main/c/clanlib/clanlib-doc_1.0~svn3827-8_all.deb 4431928
    4016173969463ab11c227d2222fa1983d89ac91aca53cd5c84cdd2061ec4530f
debian:main/e/epiphany/epiphany-data_0.7.0+0-7_all.deb 1828964
    437cb351d75d507d6bc892a2cdc1c06b0374c8cd797a6a1b7c492e775778cc9f
debian:main/e/etw/etw-data_3.6+svn162-6_all.deb 4955688
    d1c79c32f6223332c01eb23ba78531e8d9d663c1f057cd21d8aac708b8de218a
debian:main/f/flare-game/flare-game_1.14-1_all.deb 122515912
    4ab6a8298276013d35a0806257e130d992761af1b749041433b409c3dafec508
ubuntu:universe/f/fofix-dfsg/fofix_3.121-3.1_all.deb 14561644
    fa81df95898ca7d935e923eb21a4bb94a589936636ea60bcc50ee5bc18bb48b5
debian:main/f/foobillardplus/foobillardplus-data_3.43~svn170+dfsg-7_all.deb 20003216
    48adfd599afdbcbc008fffdf982c5bb18ac62286dc012ac88e9b8abc556a28f4
debian:main/f/freedink-data/freedink-data_1.08.20190120-2_all.deb 28509028
    5c3f0c22958364460057d9df5318a9a2a0fb84b9174cab57a9d50ad03a73d66c
debian:main/f/freefilesync/freefilesync_12.0-2_amd64.deb 4209528
    a77fcc2156479f803d9d763ab0f8fd8262bf6e39ed980ac819b05d4419d95906
debian:main/f/freetennis/freetennis-common_0.4.8-14_all.deb 6431712
    33e49368e75e2aaaa4ce036c07bd5eb34085359b0cf082d21c448fc7af3290d4
ubuntu:universe/f/freevial/freevial_1.3-2.1ubuntu1_all.deb 23099056
    014be98f34c77ecf13c774efbacfb6876a6b5852367b29a2d2d9f79400e5788b
ubuntu:universe/g/gazebo/gazebo-common_11.10.2+dfsg-1_all.deb 35735300
    27d0baa5e38012d268f0b7010217935ba35930bc5bd5241995d1e62edb032fba
debian:main/g/gemdropx/gemdropx_0.9-9_amd64.deb 745816
    dc4e9c5c36f19b1907d6b448d6a0d78a693c981f8db856227e5f1564aaaa2bd4
debian:main/g/gnome-audio/gnome-audio_2.22.2-1.2_all.deb 1541452
    05d5eb10c07dfbe251a637cb83784ec9ed44ec54a6c26339c8d8fea9a4d886c0
debian:main/g/gnome-shell-pomodoro/gnome-shell-pomodoro-data_0.22.1-1_all.deb 6056268
    15a5e49f27b433b2615f4e2ac9878f6d065c1a75b9f31101bd4dbd05f80e1777
debian:main/g/gourmand/gourmand_1.1.0+really1.1.0~rc3-3_all.deb 2243388
    03f798f9d18aeffe2691c595c065f0f6e59287aa3a64327cb607bfc5c4c10d6a
debian:main/h/hedgewars/hedgewars-data_1.0.2-6_all.deb 145330284
    722225903a72604403e6e0026e40e9a6953f47a74d94efc5f55504bc05bb4761
debian:main/j/jag/jag_0.3.8-2_amd64.deb 2546668
    3d2ab534872821953cb61fd6eb33ce433b4bb4daf5b3de3aaef29f8fc458d30b
ubuntu:universe/j/jscommunicator/libjs-jscommunicator_2.1.3-1_all.deb 914128
    8c4afe53433a448242d6308de9635ce61a6f1508e844ea00f08bf46d8f716262
debian:main/libr/libreoffice/libreoffice-common_7.4.7-1+deb12u14_all.deb 24465840
    4b9008ca10ab355527fa4b8e01160c322699ea2bb7578594178b41afc1b04e0c
debian:main/libs/libsdl3/libsdl3-tests_3.2.10+ds-1_amd64.deb 1755388
    34fb6eb5b1915ac2fd0d277e713a4c0cd6b07dfafd8a8f485baa1dacdb62a486
debian:main/l/lincity-ng/lincity-ng-data_2.9~git20150314-5_all.deb 44782216
    8f5e85bd42879abdc7099b035d7a3d7468eceb6b93b52a12270c28f3f3c792f9
ubuntu:universe/l/lmarbles/lmarbles_1.0.8-0.2_amd64.deb 683660
    a13f2f9c395b2af4acf27d9422466eed95bd5000a5b84512c9d44355ac1a8f6e
debian:main/l/lmms/lmms-common_1.2.2+dfsg1-6_all.deb 8263276
    7d9aa55dd05f11edc57104203ee1c350e3e41f8936ab3741da2bb1158fd46c37
debian:main/l/lugaru/lugaru-data_1.2-6_all.deb 34165204
    6a25e8d2d7c2d94b7873669d1f52137b2ba56e86ba5c2f08fefeacd65e526023
debian:main/m/megaglest-data/megaglest-data_3.13.0-3_all.deb 242024888
    ed4783d9fc78e201a548b266f7c30325eb16cfd58a20bf4597dd6e622f84a07e
debian:main/m/micropolis-activity/micropolis-data_0.0.20071228-10_all.deb 2465808
    8d30b1cd0eb340f42ae71ea596a28bbdd57111afa1f381755d8c445a5e8e7b5c
debian:main/m/minetest/minetest-data_5.6.1+dfsg+~1.9.0mt8+dfsg-2_all.deb 3646524
    91371dd2bd51cfcd4fa60c138667989a47047dfe1a47f7523b9ad1782d397585
ubuntu:universe/m/minetest-mod-animalmaterials/minetest-mod-animalmaterials_0.1.3-1_all.deb 267954
    e538d11a083d9191c3676d286ae2524a1dbd8cb9e786d147cc07173d95f0e3d5
ubuntu:universe/m/minetest-mod-animals/minetest-mod-animals_2.5.0-3_all.deb 15383464
    937a52b81792e7cfcdc8615e8295e3f5d73fc72dda4e7a80da782ec2b467b4b8
debian:main/m/minetest-mod-unified-inventory/minetest-mod-unified-inventory_20180810-2_all.deb 687380
    7e1103274e832f717b3062a28e43613d0ae9ab39ade22153c6bdbfed5c95cfe8
debian:main/m/minetest-mod-xdecor/minetest-mod-xdecor_1.0+dfsg1-2_all.deb 97268
    4aaf952412b033fa36377ba3609cff2696e83cbb6ad9ac9238d27ed0aafddf77
debian:main/o/ocean-sound-theme/ocean-sound-theme_6.3.4-1_all.deb 2015892
    0d011c5a80a601d2b62a5b76bb8ce3a024b79bf2918d722ac6edf93a445c789a
debian:main/o/octave-ltfat/octave-ltfat-common_2.6.0+dfsg-6_all.deb 2358860
    2108a30aac4a9c8df89e61e2f6e6356823922f4d446ecbfe72799bce1a2a2a4a
debian:main/o/opencity/opencity-data_0.0.6.5stable-5_all.deb 7681136
    ca9e9e6619da070e20e1e0089bd9fd1187dce6d8b01b19ca3a9c1cdf8f580e6e
debian:main/o/opencpn/opencpn-data_5.10.2+dfsg-1_all.deb 11210804
    bca721bdb43328bb31c1efd01505dabfb42fc240be2c534072be2d6378c78581
debian:main/p/pd-cyclone/pd-cyclone_0.6.1-2_amd64.deb 1350020
    3998615ae01157384bcd2891006106c6618d5715873e4935749adf4bdae20b8a
ubuntu:universe/p/perlpanel/perlpanel_0.9.1+cvs20051225-2ubuntu1_all.deb 459506
    2733bdbed6fd08f463817ea09c035fa63a9de86badab571d60626f6cb848f17e
ubuntu:universe/p/pop-gtk-theme/pop-sound-theme_5.2.0~1586289568~20.04~f35b83b~ubuntu1_all.deb 177560
    6f05040264f52161a89f63c97fc2eac5b96685f7342a96406eee603a010a07c7
ubuntu:universe/p/prey/prey_0.6.2-1.1_all.deb 526284
    1f6701ec5946170fcb881378d5809bd5ddabd2575a86042bf31c39dfd260d428
debian:main/p/pushover/pushover_0.0.5+git20180909-4+b2_amd64.deb 3546532
    1179a8dac94da339f8e3c922bc407f7977b911a9e07ff86e07cfd1d3ad302427
ubuntu:universe/p/pysycache/pysycache-sounds_3.1-3.3ubuntu1_all.deb 690304
    3c4bcd9f83fd4324d7080f4c0248697ebbd5af6879913dc5d3e37b08728beea9
debian:main/p/pygame/python-pygame-doc_2.1.2+dfsg-5_all.deb 2357320
    8b8d060ee89404aa0a6344321c1ed7310c7af251bd4c9f571fac4e7601354677
debian:main/p/python-pyo/python3-pyo_1.0.4-1+b5_amd64.deb 5172084
    d52667abb02f4bb3fb21c6b525679bf2c56c4d29515d99345fb696d9ace62fb4
debian:main/q/qtsvg-opensource-src/qtsvg5-examples_5.15.8-3_amd64.deb 1263524
    0cd14b7464eb3a8f16c076dd6f99ad31b29f98825d3127d7fed0b529408bc013
ubuntu:universe/q/qutecom/qutecom-data_2.2.1+dfsg1-5.2ubuntu2_all.deb 9210484
    9a7b6da2826e15ad35cb4303fed815ba913ae3d85c307060ade43987de41356e
debian:main/s/scorched3d/scorched3d-data_44+dfsg-8_all.deb 31954088
    b0be0a6d561966a62b1f135e0e6f5681c85f12e34ecad5777cb1af9fbcb7f1da
debian:main/s/searchandrescue-data/searchandrescue-data_1.3.0-1.1_all.deb 46517968
    0036c09a92a90a2ce4ac3dde026bb90cc306cd1964f24749c0229926ff36d1d3
ubuntu:universe/s/sipml5/sipml5-web-phone_0.0.20130314.2030-3_all.deb 756568
    27abe2e26bf02b374fcfcebca4796b6dac6bbde257d31f22924b043d70f48014
debian:main/s/sonic-pi/sonic-pi-samples_3.2.2~repack-8_all.deb 21882696
    25f2312d2fae005e6ad0f4726b8ed3084e776006a5a132083506e960224ac79d
debian:main/p/phosh-wallpapers/sound-theme-phosh_0.42.0-1_all.deb 487676
    4ff3d2ffdaf8ad2532c0773453d4bdd4f994334d9d4da39cd846f6003c4fe158
debian:main/s/supertux/supertux-data_0.6.3-2_all.deb 161647984
    a6ad8865972f1dbb5e7b49f4e1b381dd16a68f3028a3502cfeaca2400285d27f
ubuntu:universe/t/texmacs/texmacs-base_2.1.4+ds-3_all.deb 80103506
    8a603384852146c0ab4d9d76af090336be7904d26b72add896338404c373cd27
debian:main/t/tkdesk/tkdesk_2.0-11+b1_amd64.deb 487736
    ee48ef3b03d1702362c1ba01cdfb684be1c3a523bb055b28827d4c759659ed63
debian:main/t/triplea/triplea_1.9.0.0.7062-2_all.deb 8272804
    f43196c458195a7a99afdc7966269039ce31837df7a8d9693e2b0bab9245720e
debian:main/t/tuxpaint/tuxpaint-data_0.9.28-sdl2-1_all.deb 7855540
    f5d0de8f9a70d2efc1241d19f26168cb8bf279f1b77abd3631e7a1a55c40e5e5
debian:main/t/tuxpaint/tuxpaint-plugins-default_0.9.28-sdl2-1_amd64.deb 1241100
    91e6ba5d7e44a340d54055e8b1d96c1d31da5579d863624bbb6b1461c5756775
debian:main/t/tuxpaint-stamps/tuxpaint-stamps-default_2022.06.04-1_all.deb 160880444
    6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34
ubuntu:universe/u/ubuntu-sounds/ubuntu-sounds_0.14_all.deb 260556
    a5a32b40b84f2188271e3b7e11ea4bb358a3729b79c54a3d192e4c040a4fcc1b
ubuntu:universe/u/ubuntu-touch-sounds/ubuntu-touch-sounds_15.08build1_all.deb 12637108
    c0f4bc74944929a882857b9ea93ae5f7f2ec9f9be07336f0f9ca080826383c87
debian:main/u/ukui-media/ukui-media_3.0.4-1+b1_amd64.deb 377936
    68c6601ae554e9219be9809a28e169e6f225226797dcdc9a32273d4e9ce5b89a
debian:main/w/wesnoth-1.16/wesnoth-1.16-data_1.16.9-1_all.deb 146229044
    1012b964bd412a6770685e3324ae3b61e176caff7846192d1ee63d55cd621e26
ubuntu:universe/x/xpilot-ng/xpilot-ng-common_4.7.3-2.3ubuntu1_all.deb 818620
    d78759ed13f14333d620fc2c35859937022b3cdb9205bfc2194ab12fc78ef6ca
ubuntu:universe/y/yate/yate-qt4_5.4.0-1-1ubuntu2_amd64.deb 638312
    cc34c25bb12597fde06b0955a7c76852889daac55f4672cc1ef1e1d56def9f7d
"""


def _pins() -> tuple[tuple[str, int, str], ...]:
    words = _PINS.split()
    return tuple(
        (POOLS[path.partition(":")[0]] + path.partition(":")[2], int(size), digest)
        for path, size, digest in zip(words[::3], words[1::3], words[2::3], strict=True)
    )


PINS: Final = _pins()
"""Address, bytes and SHA-256 of each."""

_LEFT_OUT: Final = """
0087553515fb 00ca0ee2bada 0186fc26d319 01a760d640ac 021724d41b55 02cd47744247 02ebe246c192 03242155cc00 036150e8ad59
05b8e9a023e7 062988c1f845 083850e8746f 09d5cc75cd9e 09da42be5cdc 0a40083364bf 0a427b518c3e 0a76d96d853a 0ae7e81cda06
0c996c42c7a4 0d1c33854ca7 0d9ea8d087bd 0dd593d25a2b 0ddfbebd39dd 0e62ef119a03 0f19f75e3607 0fb6b42fcb00 0fcbede2a4c1
1011d7758e00 10b07424735a 118147850614 11ea0acbfc77 122241996aa4 13ef2a659bc4 1492e526258c 1516957255d7 17133705e228
183acea6097e 184819fb72c7 18ca3298cac6 190d307656a7 1912ca0ffbf7 191d3c005a5b 1a54518ce3e6 1a5c7b63a18d 1ae30825993f
1b577ecf53a3 1b8342a152fe 1d6742207c77 1d91bd437de4 1dbccf774c4e 21960e5bcdfd 21d7db886b58 2230d2e9cdea 2285e453cb96
22de1e2962cb 23033dd4f64c 241b695b15e7 24f48d727d4c 2604e8fa056a 276b07272060 27db1f68f1d7 289b00f753b1 2a90876aca54
2b0460dd85eb 2b59055e0cdb 2c21eb4da2af 2d09729a7181 2da0f34b7556 2e8757cd85ea 2e992819dbf9 2e993c1957ff 2f75ffacd2a3
3032ff90072c 30ba29e7d544 30d0f806cdfd 31cd50485eed 31cf19dbb34d 3211291c9786 33c4332abbdb 33da53377850 34629debbc73
3496fd6da0c8 34dcbec32271 37733579ea63 389b7940d51a 38e751af05c9 392bc733f8cc 3aec8fc8b6e0 3b2078503b3f 3b9e2da876f5
3bb667ecf5a6 3bfe608f9797 3c04602c2e2f 3c2f7dacdbc8 3d45f172c546 3d58ede80746 3d98bd9735ef 3da004f932da 3dbea760a2e8
3df740c8f09e 3e14a2171caa 3e5c47ad6f91 3ec5793859ba 3f3868d23a58 3f3f71ba098a 3f68263bf669 410ce8142d24 419d5c677fd9
423522499be0 42a55a43fc74 43cc2a6c830e 4546dd9d4bb0 4557772b2a9a 45d6339ee4f1 45fdab69d86e 47b4a7e587ef 49121fec66bd
4a4dbc53511b 4a551d2087da 4bf61459ad45 4c3f4a253702 4d836ce78404 4e9efba094de 4ed5b2619c31 4f8506838674 5102351d39d3
513e965fa107 514c1ab0be60 521a2cd83c30 52dc4b7fc3bd 532e49c429e4 54573ec281c0 552f61b241b6 5693b4895056 582d32ce9cd1
58b8f3e7b9fd 58be0acb6da8 58dc958afee6 58eff6631689 595aed5ce92e 5b0345d5179d 5d1c6d3c58ea 5d4d9dfaf2c7 5de408bd6f7c
5e3067a1428c 5e5fd82808d7 5f6fb5a8c44d 60a639e9b9f3 610df5db4d29 616299762bc2 621b341f79f1 638eb70bd1a3 644f27b89831
658849c0dfde 66384ac6108c 680e3c25cea3 683104e4b989 68646094fc5f 68da7b975000 69b8b3149ce2 6aedd098c15e 6b7fef957dbd
6ba231fa6734 6ccd764d6a99 6e2682b83bad 6e4ab2091694 6e56da8f9b49 6ea9df51385b 6ecc68983068 6ecde99307bb 6fce33e70bb3
700eb7870254 706d90ad22f6 710f28002c71 712a3870b1ed 727d6a833ec0 7505fbb57ab0 7552ab379259 758cad4bdcbd 75f7e90b13b9
76ef8fac9e63 76fe89c001f3 774fb351456e 78b45022cc4b 7b34eba8a275 7ba786c285b1 7bd603e46730 7cea1ef5110e 7d696465e0dc
7d88fccc70ac 7ddfbc109660 7e5630098c13 7f57425d3b09 7f8e0c0c285b 80168d8f8be8 8148fe094627 8167ac7f2208 81c5837a6ed0
8288f208a8f4 847351c4c3f8 84a928f5c9a7 84f7ffbf4b83 8680a6959214 86b8bf06d4b5 86d2a9053675 86f61da3cc53 8778f8504e82
87bfb846ea7a 88ea3640db53 8b612eddb4ca 8c8640596f38 8cc596c1249c 8e104f1ec3f7 8fe5a4ed49a0 902c528926fc 924853d3e978
92a3b00279f3 93d51427c6d1 951502527e6e 955080d3efbf 965f290c5c5c 97322a69f3f2 9739cbbe3c16 97b0c9b8fc13 9936a132a174
9961eb691172 9a4d5f1dee51 9a7a083c54c1 9a7d5e62650f 9b5af0f018ce 9bdcbb37428a 9c141c8de85e 9cde809539a3 9d3b9c2009de
9d6c9c324cb6 9d76063b662a 9e1e9ec40e32 9f2111dfb7c0 9f7fb0c894e4 9feaf4399ff6 a13833f39479 a217922524fc a31386ba97c0
a45ddb0ee986 a49642643879 a5514223d342 a59e30579ad3 a622d26c76f0 a76a4dd2ac5b a78a23eb1a38 a95a1b421ee3 a98652ab6f43
aa73bb5de045 aac803705aaf aad0804b6006 aad699f4412d ab36bdbc3ecb ab91436e7d38 ac3a46a0caa1 adb7d2f81a77 adf31a72875f
ae430e116eb2 af3807b038ef af55853088f4 b07f8602832d b24058c7b92a b3296be7af45 b3315ae54740 b421accafa28 b4ff35ed8e5d
b501310ff933 b66fd54d17df b7b937298a97 b86243be6c15 b88b4ff9afab b97f22032ac6 ba1237f6efc7 ba1457f6ce7c bb58db8c4eac
bc307c4a55e3 bcd45cf0ef81 bcd7c761553a bd6b009e2759 bd8a8475a23d bd91811a8b0e bf3df604c537 c0bff0498023 c1702ad8b4f7
c185aacdfb1e c23e8fe3c298 c25d046342b1 c2d125db98ff c3731c5380f3 c379dbce303d c561b5c6418e c5e937c55657 c62732a1e994
c644cf4c3a11 c7bed6a32ad6 c83acd81dd2d c884e912d345 ca8a2f4f3d77 cc9f00777443 cd29c8835854 cd71a4f22074 cde4702b0e66
ce5132441198 cf642293b746 cfe563ea35aa d09cc48a9147 d0d16361a6a4 d0d5c49ffb2a d11f893ef545 d1b2b22ecb86 d1cef877f038
d30a81335ee6 d3b8c108a202 d3ea14cc8884 d4d9026b983b d518a7f98664 d554d4601a09 d74f7ca6ec86 d7610340ed22 d7ae8f02d25b
d81ebcff0088 d8533c01b358 d8e890319565 d92e59a04bdf d9ced96f98dc db462518d4dd db793de0ddb0 dbc05acf0392 dbfe24c51e0b
de208f62d8a7 de3ac77c7ca1 dea3368b63a5 dfe3be932816 e24ec789ad25 e256ed15794e e2fd3c86ad38 e31ea2a47c3b e33fa95b43d2
e3a953f71dc5 e4a93ae53cc5 e556561e8463 e7496a6734cf e778e155b6d0 e82e7316572c e84ee4a1b799 e9b380332a5b e9e5a91f1413
ea7944db33e1 eaf31de1f256 ed3ac2187d67 ed4140baeb10 ed945ec49368 ee847cce7f4c eed1989f9058 ef4060afb950 efca05d8d43f
f1090abcf0ff f2783b4e39bc f2f4d233aba2 f390675487bc f4a305a61087 f5154aa185a7 f5d3a08f2b54 f5d5a59a674c f67fba4af552
f77ae9b55903 f81a0e5d54b2 f8ab43cdf9b8 f9704a241e9c f98a052b4b5e faf0a2f9b31b fb2e05d24116 fb989a15619b fd88eb15ea45
fe94c06faccd
"""
LEFT_OUT: Final = frozenset(_LEFT_OUT.split())
"""First 12 digits of the SHA-256 of files: other tags of YAMNet than the name says, or alike to an indexed clip."""

"""Whose machine it is, its memory, its disks, its compilers: parsers and the choices from them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from remote.host import compilers, disks, memory, providers
from remote.host.aside import Aside
from remote.host.disks import Disk, Mount, Room
from remote.host.memory import Memory
from remote.packages import places
from remote.task import Cancelled

GB = 10**9
GIB = 1024**3


# -- providers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "paths", "name"),
    [
        ({"AutoDLContainerUUID": "a1"}, (), "autodl"),
        ({"AutoDLService6006URL": "https://u.seetacloud.com:8443"}, (), "autodl"),
        ({}, ("/etc/network_turbo", "/root/autodl-tmp"), "autodl"),
        ({}, ("/root/autodl-tmp",), ""),  # made by hand: every blog names it
        ({"RUNPOD_POD_ID": "x", "HOME": "/root"}, ("/workspace",), "runpod"),
        ({"VAST_CONTAINERLABEL": "C.123"}, (), "vast"),
        ({}, ("/hy-tmp",), "gpushare"),
        ({"RUNPOD_POD_ID": "x"}, ("/hy-tmp",), "runpod"),
        ({}, ("/home/featurize/work",), "featurize"),
        ({}, ("/public/script/switch_pip_source.sh",), "matpool"),
        ({}, ("/home/user/datadisk",), "lanrui"),
        ({"PATH": "/bin"}, ("/workspace", "/mnt"), ""),
    ],
)
def test_a_provider_is_known_by_its_marks(
    environ: dict[str, str], paths: tuple[str, ...], name: str
) -> None:
    assert providers.detect(environ, lambda path: path in paths).name == name


def test_power_off_from_inside_is_known_safe_for_two_providers_only() -> None:
    safe = {one.name: one.kept_days for one in providers.PROVIDERS if one.power_off}
    assert safe == {"autodl": 15, "gpushare": 10}
    assert not providers.UNKNOWN.power_off
    assert providers.named("nobody") is providers.UNKNOWN


def test_the_containers_own_variables_are_found_where_a_login_loses_them(tmp_path: Path) -> None:
    environ = tmp_path / "environ"
    environ.write_bytes(b"PATH=/bin\0AutoDLRegion=west-B=1\0broken\0\xff=\xfe\0")
    found = providers.first_process_variables(environ)
    assert found["AutoDLRegion"] == "west-B=1"
    assert "broken" not in found
    assert providers.first_process_variables(tmp_path / "absent") == {}


# -- memory ---------------------------------------------------------------------------------

MEMINFO = "MemTotal:       528280932 kB\nMemFree: 1 kB\nMemAvailable:   401008340 kB\n"


def host_with(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"proc/meminfo": MEMINFO, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_container_of_version_2_may_take_what_its_group_may(tmp_path: Path) -> None:
    root = host_with(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": f"{32 * GIB}\n",
            "sys/fs/cgroup/memory.current": f"{10 * GIB}\n",
            "sys/fs/cgroup/memory.stat": f"anon 1\ninactive_file {4 * GIB}\nactive_file 5\n",
        },
    )
    assert memory.look(root) == Memory(32 * GIB, 26 * GIB)


def test_the_limit_of_a_group_above_binds_too(tmp_path: Path) -> None:
    root = host_with(
        tmp_path,
        {
            "proc/self/cgroup": "0::/pod/session\n",
            "sys/fs/cgroup/pod/session/memory.max": "max\n",
            "sys/fs/cgroup/pod/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/pod/memory.current": f"{3 * GIB}\n",
        },
    )
    assert memory.look(root) == Memory(2 * GIB, 0)


def test_a_container_of_version_1_sees_its_group_at_the_top(tmp_path: Path) -> None:
    root = host_with(
        tmp_path,
        {
            "proc/self/cgroup": "12:cpu,cpuacct:/docker/f\n9:memory:/docker/f\n0::/docker/f\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{90 * GIB}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{60 * GIB}\n",
            "sys/fs/cgroup/memory/memory.stat": f"cache 1\ntotal_inactive_file {50 * GIB}\n",
        },
    )
    assert memory.look(root) == Memory(90 * GIB, 80 * GIB)


def test_no_limit_leaves_what_the_machine_has(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "3:memory:/../../x\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
    }
    assert memory.look(host_with(tmp_path, files)) == Memory(528280932 * 1024, 401008340 * 1024)


def test_a_host_that_tells_nothing_has_no_numbers(tmp_path: Path) -> None:
    assert memory.look(tmp_path) == Memory(None, None)


# -- disks ----------------------------------------------------------------------------------

MOUNTINFO = r"""
1130 1129 0:345 / / rw,relatime master:326 - overlay overlay rw,lowerdir=/var/lib/docker/l/A
1131 1130 0:348 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1133 1130 0:349 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
1150 1130 259:3 /hosts /etc/hosts rw,relatime - ext4 /dev/nvme0n1p3 rw
1151 1130 259:5 /data/c1 /root/autodl-tmp rw,relatime - xfs /dev/nvme1n1 rw,attr2,prjquota
1152 1130 0:60 / /root/autodl-fs rw,relatime - fuse.juicefs JuiceFS:fs rw,user_id=0
1153 1130 0:61 / /root/autodl-pub ro,relatime - ext4 /dev/sdb ro
1154 1130 0:62 /share /mnt/nas rw,relatime shared:7 - nfs4 10.0.0.3:/share rw,vers=4.1
1155 1130 259:7 / /mnt/my\040disk rw,relatime - ext4 /dev/sdc rw
1156 1130 259:8 / /mnt/broken rw,relatime - ext4 /dev/sdd ro,errors=remount-ro
1157 1130 0:70 / /mnt/9p rw - 9p host rw
1158 1130 0:71 / /mnt/lustre rw - lustre 10.0.0.1@tcp:/fs rw
a line that is cut - ext4
"""


def test_mounts_are_read_with_their_kind_and_whether_they_may_be_written() -> None:
    found = {str(mount.point): mount for mount in disks.parse_mounts(MOUNTINFO)}
    assert len(found) == 12
    assert found["/"].kind == "overlay"
    assert found["/mnt/my disk"] == Mount(Path("/mnt/my disk"), "ext4", True)
    assert not found["/root/autodl-pub"].writable
    assert not found["/mnt/broken"].writable


def test_a_later_mount_hides_an_earlier_one() -> None:
    text = "1 0 8:1 / /mnt rw - ext4 /dev/a rw\n2 0 0:9 / /mnt rw - nfs4 nas:/ rw\n"
    assert disks.parse_mounts(text) == [Mount(Path("/mnt"), "nfs4", True)]


def test_only_writable_disks_of_this_machine_are_for_data() -> None:
    points = {str(mount.point) for mount in disks.usable(disks.parse_mounts(MOUNTINFO))}
    assert points == {"/", "/root/autodl-tmp", "/mnt/my disk"}


def test_only_a_folder_that_is_there_is_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "_SYSTEM", ())  # tests work below /tmp
    mounts = tmp_path / "mountinfo"
    lines = [f"1 0 8:1 / {tmp_path} rw - ext4 /dev/a rw", "2 0 8:2 / /gone/away rw - ext4 b rw"]
    mounts.write_text("\n".join(lines))
    (disk,) = disks.look(mounts)
    assert disk.point == tmp_path
    assert disk.room.free > 0
    assert disks.room(tmp_path / "not" / "there").free > 0


def test_a_path_lies_on_the_disk_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTINFO)
    for path, expected in (
        ("/root", True),
        ("/root/autodl-tmp/paperkite", True),
        ("/root/autodl-fs/x", False),
        ("/mnt/nas", False),
    ):
        assert disks.is_local(Path(path), mounts) is expected
    assert disks.is_local(Path("/mnt/nas"), tmp_path / "absent")


# -- the data folder ------------------------------------------------------------------------

ROOMY, VAST = Room(100 * GB, None), Room(500 * GB, None)
HOME, WORKSPACE, BIG = Path("/home/kite"), Path("/workspace"), Path("/mnt/big")


def chosen(
    wanted: str = "",
    folders: tuple[Path, ...] = (),
    at_home: Room = ROOMY,
    big: Room = VAST,
    ours: tuple[Path, ...] = (),
) -> Path:
    found = (Disk(BIG, big), Disk(Path("/"), at_home))
    return places.choose_data_dir(
        wanted, Disk(HOME, at_home), folders, found, lambda folder: folder in ours
    )


def test_the_data_folder_is_the_wish_then_a_known_one_then_the_home() -> None:
    assert chosen("/mnt/x", (WORKSPACE,), ours=(HOME,)) == Path("/mnt/x")
    assert chosen("~/x") == Path.home() / "x"
    assert chosen(folders=(WORKSPACE, BIG)) == WORKSPACE
    assert chosen() == HOME


def test_a_home_on_a_small_disk_gives_way_to_the_largest_disk() -> None:
    assert chosen(at_home=Room(20 * GB, None)) == BIG
    assert chosen(at_home=Room(20 * GB, None), big=Room(10 * GB, None)) == HOME
    assert chosen(at_home=Room(200 * GB, 1000)) == BIG
    assert chosen(at_home=Room(20 * GB, None), big=Room(500 * GB, 1000)) == HOME


def test_a_home_on_a_network_disk_gives_way_to_any_disk() -> None:
    assert chosen(at_home=Room(0, 0), big=Room(10 * GB, None)) == BIG


def test_folders_that_are_closed_to_us_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As everything below /root is for everybody else: pathlib ends in PermissionError there."""

    def closed(path: object, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(Path, "stat", closed)
    folder = tmp_path / "closed" / "autodl-tmp"
    assert not disks.is_writable_folder(folder)
    assert disks.existing_parent(folder) == tmp_path
    assert not places.holds_ours(folder)
    assert places.folders_with_models(folder, folder, {"MODELSCOPE_CACHE": str(folder)}) == []


def test_where_an_earlier_run_worked_is_not_left() -> None:
    assert chosen(at_home=Room(1, None), ours=(HOME,)) == HOME
    assert chosen(folders=(WORKSPACE,), ours=(BIG,)) == BIG


def test_a_folder_of_another_kind_with_our_name_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "paperkite" / "desktop").mkdir(parents=True)
    assert not places.holds_ours(tmp_path)
    (tmp_path / "paperkite" / "models").mkdir()
    assert places.holds_ours(tmp_path)


def test_the_providers_own_folder_goes_before_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {Path("/workspace"), Path("/root/autodl-tmp")}
    monkeypatch.setattr(places, "is_writable_folder", lambda folder: folder in there)
    monkeypatch.setattr(places, "room", lambda _: ROOMY)
    monkeypatch.setattr(places, "is_local", lambda _: True)
    runpod = providers.named("runpod")
    assert places.data_folders(runpod) == [Path("/workspace"), Path("/root/autodl-tmp")]
    assert places.data_folders(providers.UNKNOWN)[0] == Path("/root/autodl-tmp")
    monkeypatch.setattr(places, "room", lambda _: Room(100 * GB, 100))
    assert places.data_folders(runpod) == []


def test_a_folder_with_anothers_name_has_to_be_good_or_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NVIDIA's images have a /workspace on the container's own small disk."""
    workspace = Path("/workspace")
    runpod, unknown = providers.named("runpod"), providers.UNKNOWN
    monkeypatch.setattr(places, "is_writable_folder", lambda folder: folder == workspace)
    monkeypatch.setattr(places, "is_local", lambda _: True)
    monkeypatch.setattr(places, "room", lambda _: Room(20 * GB, None))
    assert (places.data_folders(runpod), places.data_folders(unknown)) == ([workspace], [])
    monkeypatch.setattr(places, "room", lambda _: ROOMY)
    assert places.data_folders(unknown) == [workspace]
    monkeypatch.setattr(places, "is_local", lambda _: False)
    assert (places.data_folders(runpod), places.data_folders(unknown)) == ([workspace], [])
    monkeypatch.setattr(places, "holds_ours", lambda _: True)
    assert places.data_folders(unknown) == [workspace]


# -- compilers ------------------------------------------------------------------------------


def program(folder: Path, name: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_c_compiler_is_the_one_that_triton_would_take(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path)}
    assert compilers.c_compiler(environ) == ""
    clang = program(tmp_path, "clang")
    assert compilers.c_compiler(environ) == clang
    gcc = program(tmp_path, "gcc")
    assert compilers.c_compiler(environ) == gcc
    own = program(tmp_path, "my-cc")
    assert compilers.c_compiler({**environ, "CC": "my-cc -m64"}) == own
    assert compilers.c_compiler({**environ, "CC": "'unbalanced"}) == gcc


def test_nvcc_is_found_beside_the_path_too(tmp_path: Path) -> None:
    toolkit = program(tmp_path / "cuda" / "bin", "nvcc")
    path = {"PATH": str(tmp_path)}
    assert compilers.nvcc(path, ()) == ""
    assert compilers.nvcc(path, (str(tmp_path / "cuda" / "bin"),)) == toolkit
    assert compilers.nvcc({**path, "CUDA_HOME": str(tmp_path / "cuda")}, ()) == toolkit


# -- questions beside each other ------------------------------------------------------------


def test_an_answer_that_comes_is_given_and_a_failure_is_raised() -> None:
    never = threading.Event()
    deadline = time.monotonic() + 10
    assert Aside(lambda: "yes", "no").answer(deadline, never) == "yes"
    with pytest.raises(ZeroDivisionError):
        Aside(lambda: 1 // 0, 0).answer(deadline, never)


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    stopped = threading.Event()
    aside = Aside(stopped.wait, False)
    assert aside.answer(time.monotonic() - 1, threading.Event()) is False
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        aside.answer(time.monotonic() + 10, cancelled)
    stopped.set()
    assert aside.answer(time.monotonic() + 10, threading.Event()) is True

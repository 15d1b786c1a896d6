"""Files as a source: order, coordinates, and files that are damaged."""

import bz2
import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.shared import shared
from support.sources import due, read, settle_all

from ampeld.errors import ConfigError
from ampeld.source import archive
from ampeld.source.archive import DamagedFileError
from ampeld.source.files import FileSource


def tar_bytes(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive_:
        for name, value in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(value)
            archive_.addfile(member, io.BytesIO(value))
    return out.getvalue()


async def test_directories_are_read_recursively_and_by_name(tmp_path: Path) -> None:
    for name in ("b.avro", "a/2.avro", "a/10.avro", "c.avro", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    async with FileSource([tmp_path]) as source:
        records = await read(source)
    assert [record.value for record in records] == [b"a/10.avro", b"a/2.avro", b"b.avro", b"c.avro"]
    assert {(record.partition, record.offset) for record in records} == {(0, 0)}
    assert records[2].topic == str((tmp_path / "b.avro").resolve())


@pytest.mark.parametrize(("suffix", "pack"), [(".tar", bytes), (".tar.gz", gzip.compress), (".tar.bz2", bz2.compress)])
async def test_archives_number_their_avro_members_in_their_order(tmp_path: Path, suffix: str, pack: object) -> None:
    members = {"z.avro": b"first", "README": b"no alert", "a.avro": b"second", "m/b.AVRO": b"third"}
    path = tmp_path / f"alerts{suffix}"
    path.write_bytes(pack(tar_bytes(members)))  # type: ignore[operator]
    async with FileSource([path]) as source:
        records = await read(source, max_records=2)
    assert [(record.offset, record.value) for record in records] == [(0, b"first"), (1, b"second"), (2, b"third")]
    assert {record.topic for record in records} == {str(path.resolve())}


async def test_every_bad_path_is_named_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "alert.json").write_text("{}")
    with pytest.raises(ConfigError) as error:
        await FileSource([tmp_path / "none.avro", tmp_path / "alert.json"]).start()
    assert len(error.value.problems) == 2
    assert "none.avro: No such file" in error.value.problems[0]
    assert "alert.json: neither" in error.value.problems[1]


async def test_a_path_within_another_or_given_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    path.write_bytes(b"alert")
    async with FileSource([path, tmp_path, path]) as source:
        assert len(await read(source)) == 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_a_truncated_archive_is_an_error_after_all_that_was_readable(tmp_path: Path, pack: object) -> None:
    suffix = ".tar" if pack is bytes else ".tar.gz"
    content = pack(tar_bytes({f"{n}.avro": bytes([n]) * 70_000 for n in range(20)}))  # type: ignore[operator]
    (tmp_path / f"broken{suffix}").write_bytes(content[: int(len(content) * 0.7)])
    (tmp_path / "whole.avro").write_bytes(b"alert")
    async with FileSource([tmp_path]) as source:
        batches = []
        while not (batches and not batches[-1].records):
            batch = await source.fetch(max_records=5, timeout_s=0.01)
            assert batch is not None
            batches.append(batch)
        for batch in batches:
            settle_all(batch.records, batch.ledgers)
            await source.commit(due(source))
        with pytest.raises(DamagedFileError, match=f"broken{suffix}"):
            await source.fetch(max_records=5, timeout_s=0.01)
        assert await source.fetch(max_records=5, timeout_s=0.01) is None
    values = [record.value for batch in batches for record in batch.records]
    assert values[-1] == b"alert"
    assert 5 <= len(values) < 21


@pytest.mark.parametrize("content", [b"", b"no archive at all", gzip.compress(b"", mtime=0)[:12]])
async def test_a_file_that_is_no_archive_is_an_error_at_the_end(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    async with FileSource([tmp_path / "a.tar.gz"]) as source:
        with pytest.raises(DamagedFileError):
            await read(source)


async def test_rubbish_between_the_members_is_not_taken_for_the_end(tmp_path: Path) -> None:
    content = bytearray(tar_bytes({"a.avro": b"a", "b.avro": b"b"}))
    content[1024:1100] = b"\xff" * 76  # the second header
    (tmp_path / "a.tar").write_bytes(content)
    async with FileSource([tmp_path]) as source:
        with pytest.raises(DamagedFileError, match="broken off at byte 1024"):
            await read(source)


async def test_an_oversized_member_is_delivered_with_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_bytes({"a.avro": b"x" * 2000, "b.avro": b"good"}))
    async with FileSource([tmp_path], max_message_bytes=1000) as source:
        large, good = await read(source)
    assert large.refusal == "message of 2000 bytes above source.max_message_bytes = 1000"
    assert len(large.value) == 2000
    assert good.refusal is None


async def test_of_an_enormous_file_only_the_beginning_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_KEPT_BYTES", 5000)
    (tmp_path / "a.avro").write_bytes(b"x" * 9000)
    async with FileSource([tmp_path], max_message_bytes=1000) as source:
        (record,) = await read(source)
    assert record.refusal is not None
    assert record.refusal.endswith("its first 5000 bytes are kept")
    assert len(record.value) == 5000


async def test_ledgers_of_finished_files_are_let_go(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number:02}.avro").write_bytes(b"alert")
    async with FileSource([tmp_path]) as source:
        assert len(await read(source, max_records=8)) == 50
        assert source.ledgers() == []


async def test_the_progress_ends_at_the_total(tmp_path: Path) -> None:
    (tmp_path / "a.avro").write_bytes(b"x" * 1000)
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(tar_bytes({"a.avro": b"a"})))
    async with FileSource([tmp_path]) as source:
        assert source.progress.read_bytes == 0
        await read(source)
        progress = source.progress
    assert progress.read_bytes == progress.total_bytes > 1000
    assert (progress.files, progress.records) == (2, 2)


async def test_a_real_archive_is_read_to_its_end() -> None:
    async with FileSource([shared("data", "ztf", "ZTF18abxhyqv.tar.gz")]) as source:
        records = await read(source)
    assert len(records) == 4
    assert all(record.value.startswith(b"Obj\x01") for record in records)

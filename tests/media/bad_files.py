"""Files as strangers send them: broken, odd, or made to hurt. Made anew in a few seconds, all of them tiny."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

V = ("-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=2")
A = ("-f", "lavfi", "-i", "sine=440:r=16000:d=2")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
KEY = "00112233445566778899aabbccddeeff"

FIRST: dict[str, Sequence[str]] = {
    "good.mp4": (*V, *A, "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "good.wav": A,
    "still.jpg": (*V, "-frames:v", "1"),
    "part1.ts": (*V, *H264, "-t", "1"),
    "part2.ts": ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1", *H264),
    "clear.mp4": (*V, *H264, "-movflags", "+faststart"),
}

MADE: dict[str, Sequence[str]] = {
    "faststart.mp4": ("-i", "good.mp4", "-c", "copy", "-movflags", "+faststart"),
    "no_pictures.mp4": (*V, *H264, "-vf", "select=0"),
    "one_picture.mp4": (*V, *H264, "-frames:v", "1"),
    "mute.mp4": (*V, *H264),
    "sound_only.mp4": (*A, "-c:a", "aac"),
    "song.mp3": (*A, "-i", "still.jpg", "-map", "0", "-map", "1", "-disposition:v:0", "attached_pic"),
    "tracks.mp4": ("-i", "good.mp4", "-i", "good.wav", "-map", "0", "-map", "1", "-map", "1", "-c:v", "copy"),
    "views.mkv": (*V, "-map", "0", "-map", "0", *H264),
    "10ms.wav": ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "0.01"),
    "silent.wav": ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "2"),
    "quiet.wav": (*A, "-af", "volume=-40dB"),
    "clipped.wav": (*A, "-af", "volume=60dB"),
    "8channels.wav": ("-f", "lavfi", "-i", "anoisesrc=r=48000:d=1", "-ac", "8"),
    "192khz.wav": ("-f", "lavfi", "-i", "sine=440:r=192000:d=1", "-c:a", "pcm_s24le"),
    "phone.wav": ("-f", "lavfi", "-i", "sine=440:r=8000:d=1"),
    "long.mp3": ("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "700", "-b:a", "8k", "-compression_level", "9"),
    "short.mp3": (*A, "-b:a", "32k"),
    "8k.mp4": ("-f", "lavfi", "-i", "color=gray:s=7680x4320:r=25:d=0.08", *H264),
    "wide.mkv": ("-f", "lavfi", "-i", "color=gray:s=16384x16:r=25:d=0.1", "-c:v", "ffv1"),
    "2x2.mkv": ("-f", "lavfi", "-i", "color=gray:s=2x2:r=25:d=0.2", "-c:v", "ffv1"),
    "1x1.mkv": ("-f", "lavfi", "-i", "color=gray:s=1x1:r=25:d=0.2", "-c:v", "ffv1", "-pix_fmt", "bgr0"),
    "odd.mkv": ("-f", "lavfi", "-i", "testsrc2=s=129x97:r=25:d=1", "-c:v", "ffv1", "-pix_fmt", "yuv444p"),
    "vfr.mp4": (*V, "-vf", "select='not(mod(n,3))+lt(n,10)'", "-fps_mode", "vfr", *H264),
    "1000fps.mp4": ("-f", "lavfi", "-i", "testsrc2=s=128x96:r=1000:d=0.5", *H264),
    "1fps.mp4": ("-f", "lavfi", "-i", "testsrc2=s=128x96:r=1:d=3", *H264),
    "before_zero.mp4": ("-itsoffset", "-1", "-i", "good.mp4", "-c", "copy", "-avoid_negative_ts", "disabled"),
    "late.mp4": ("-itsoffset", "5", "-i", "good.mp4", "-i", "good.wav", "-map", "0:v", "-map", "1:a", "-c:v", "copy"),
    "cut_by_list.mp4": ("-ss", "1.5", "-i", "good.mp4", "-c", "copy"),
    "turned.mp4": ("-display_rotation", "90", "-i", "good.mp4", "-c", "copy"),
    "fields.mp4": (*V, "-vf", "interlace", "-flags", "+ilme+ildct", *H264),
    "pq.mp4": (*V, "-vf", "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc",
               "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
    "hlg.mp4": (*V, "-vf", "setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc",
                "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
    "alpha.webm": ("-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=0.4,format=yuva420p", "-c:v", "libvpx-vp9"),
    "moving.gif": ("-f", "lavfi", "-i", "testsrc2=s=128x96:r=10:d=1"),
    "still.png": (*V, "-frames:v", "1"),
    "c.mkv": ("-i", "good.mp4", "-c", "copy"),
    "c.webm": ("-i", "good.mp4", "-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime", "-c:a", "libopus"),
    "c.avi": (*V, "-c:v", "mpeg4"),
    "c.flv": ("-i", "good.mp4", "-c", "copy"),
    "c.ts": ("-i", "good.mp4", "-c", "copy"),
    "c.mov": ("-i", "good.mp4", "-c", "copy"),
    "encrypted.mp4": ("-i", "clear.mp4", "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY,
                      "-encryption_kid", KEY),
    "words.mkv": ("-i", "good.mp4", "-i", "words.srt", "-c", "copy", "-c:s", "srt",
                  "-attach", "still.jpg", "-metadata:s:t", "mimetype=image/jpeg"),
    "ten_hours.mp4": ("-f", "lavfi", "-i", "color=black:s=128x96:r=1/60:d=36000", *H264),
    "black.mp4": ("-f", "lavfi", "-i", "color=black:s=128x96:r=25:d=1", *H264),
}  # fmt: skip

NAMES = (
    "-dash.mp4",
    "%d.mp4",
    "a;b$(id).mp4",
    "quote'.mp4",
    "换 行😀\nx.mp4",
    "concat:a|b.mp4",
    "CON.mp4",
    "名" * 83 + ".mp4",
)


def make_bad_files(folder: Path, port: int) -> None:
    """Fill `folder`. Addresses in the files are those of a server on `port` of this machine."""
    (folder / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda item: _ffmpeg(folder, *item), FIRST.items()))
        list(pool.map(lambda item: _ffmpeg(folder, *item), MADE.items()))
    _broken(folder)
    _sounds(folder)
    _attacks(folder, port)
    _not_files(folder)
    for name in NAMES:
        shutil.copyfile(folder / "good.mp4", folder / name)


def _ffmpeg(folder: Path, name: str, args: Sequence[str]) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-threads", "1", *args, f"file:{name}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _broken(folder: Path) -> None:
    good, fast = (folder / "good.mp4").read_bytes(), (folder / "faststart.mp4").read_bytes()
    files = {
        "empty.mp4": b"",
        "random.mp4": np.random.default_rng(0).bytes(4096),
        "text.mp4": b"hello",
        "sound.mp4": (folder / "good.wav").read_bytes(),
        "video.wav": good,
        "half.mp4": good[: len(good) // 2],
        "cut.mp4": fast[: len(fast) * 2 // 3],
        "nearly_whole.mp4": (folder / "clear.mp4").read_bytes()[: _packet(folder / "clear.mp4", 48)[0]],
        "scratched.mp4": _scratched(folder / "good.mp4", [30]),
        "rotten.mp4": _scratched(folder / "good.mp4", range(5, 45, 4)),
        "picture.mp4": (folder / "still.jpg").read_bytes(),
        "sizes.ts": (folder / "part1.ts").read_bytes() + (folder / "part2.ts").read_bytes(),
        "unknown_codec.mp4": good.replace(b"avc1", b"zzz9"),
        "cut.mkv": (lambda data: data[: len(data) * 2 // 3])((folder / "c.mkv").read_bytes()),
        "cut.mp3": (lambda data: data[: len(data) // 2])((folder / "short.mp3").read_bytes()),
        "liar.mp3": _with_length((folder / "short.mp3").read_bytes(), 10_000_000),
        "bomb.png": _png_bomb(15_000),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder / "zipped.mp4", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10_000_000))


def _packet(path: Path, number: int) -> tuple[int, int]:
    """Offset and length of a packet of pictures, by its place in the file."""
    with av.open(str(path)) as container:
        packets = sorted((packet.pos, packet.size) for packet in container.demux(video=0) if packet.size)
    return packets[number]


def _scratched(path: Path, numbers: Sequence[int]) -> bytes:
    """The file with the second half of some of its packets of pictures overwritten."""
    content = bytearray(path.read_bytes())
    for number in numbers:
        offset, length = _packet(path, number)
        middle = offset + length // 2
        content[middle : offset + length] = b"\x55" * (offset + length - middle)
    return bytes(content)


def _with_length(mp3: bytes, frames: int) -> bytes:
    """An mp3 whose Xing header claims another number of frames."""
    at = max(mp3.find(b"Xing"), mp3.find(b"Info")) + 8
    return mp3[:at] + struct.pack(">I", frames) + mp3[at + 4 :]


def _png_bomb(side: int) -> bytes:
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    parts = [struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _sounds(folder: Path) -> None:
    wave = np.sin(np.arange(16_000) / 9).astype("<f4") / 2
    (folder / "nan.wav").write_bytes(_wav(np.where(np.arange(16_000) % 100, wave, np.nan).astype("<f4"), 3))
    (folder / "inf.wav").write_bytes(_wav(np.where(np.arange(16_000) == 500, np.inf, wave).astype("<f4"), 3))
    (folder / "no_samples.wav").write_bytes(_wav(np.zeros(0, "<i2"), 1))
    liar = bytearray(_wav(np.zeros(512, "<i2"), 1))
    liar[4:8], liar[40:44] = struct.pack("<I", 0xFFFFFFF0), struct.pack("<I", 0xFFFFFFC0)
    (folder / "liar.wav").write_bytes(liar)


def _wav(samples: np.ndarray, tag: int) -> bytes:
    width, data = samples.dtype.itemsize, samples.tobytes()
    form = struct.pack("<HHIIHH", tag, 1, 16_000, 16_000 * width, width, 8 * width)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )


def _attacks(folder: Path, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    playlist = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2.0,\n{}\n#EXT-X-ENDLIST\n"
    texts = {
        "hls.m3u8": playlist.format(f"file://{folder}/part1.ts"),
        "hls.mp4": playlist.format(f"file://{folder}/part1.ts"),
        "hls_relative.mp4": playlist.format("part1.ts"),
        "ssrf.mp4": playlist.format(f"{url}/hls.ts"),
        "concat.mp4": "ffconcat version 1.0\nfile good.mp4\n",
        "concat_absolute.mp4": f"ffconcat version 1.0\nfile {folder}/good.mp4\n",
        "dash.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S"><Period><AdaptationSet><Representation id="1" bandwidth="1">'
        f"<BaseURL>{url}/x.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "sdp.mp4": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
        "svg.jpg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}/x.png"/></svg>',
    }
    for name, text in texts.items():
        (folder / name).write_text(text)


def _not_files(folder: Path) -> None:
    (folder / "link.mp4").symlink_to("good.mp4")
    (folder / "passwd.mp4").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "folder.mp4").mkdir()

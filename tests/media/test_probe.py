from fractions import Fraction
from pathlib import Path

import av
import pytest

from heygem.errors import MediaError
from heygem.media.hardening import INPUT_LIMITS
from heygem.media.probe import probe_audio, probe_video

H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
SINE = ("-f", "lavfi", "-i", "sine=440:r=16000:d=1")


def video(size: str = "160x120", rate: str = "25", seconds: str = "1") -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}")


def code_of(probe, path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert caught.value.text.zh and caught.value.text.en and caught.value.hint.en
    return caught.value.code


def test_a_plain_clip(clip: Path):
    info = probe_video(clip)
    assert (info.width, info.height, info.fps, info.is_variable_rate) == (160, 120, 25, False)
    assert (info.duration, info.estimated_frames, info.is_still) == (2, 50, False)
    assert (info.codec, info.pix_fmt, info.is_interlaced) == ("h264", "yuv420p", False)


def test_the_rate_is_an_exact_fraction(make):
    assert probe_video(make("ntsc.mkv", *video(rate="30000/1001", seconds="2"), *H264)).fps == Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.mp4", b"", "empty_file"),
        ("text.mp4", b"hello", "unreadable"),
        ("noise.mp4", bytes(range(256)) * 16, "unreadable"),
    ],
)
def test_no_media(tmp_path: Path, name: str, content: bytes, code: str):
    path = tmp_path / name
    path.write_bytes(content)
    assert code_of(probe_video, path) == code
    assert code_of(probe_audio, path) == code


def test_absent_files_and_folders(tmp_path: Path):
    assert code_of(probe_video, tmp_path / "no.mp4") == "not_found"
    assert code_of(probe_video, tmp_path) == "not_regular"


def test_content_counts_and_not_the_name(make, clip: Path, speech: Path, tmp_path: Path):
    sound_named_video = tmp_path / "sound.mp4"
    sound_named_video.write_bytes(speech.read_bytes())
    assert code_of(probe_video, sound_named_video) == "no_video_stream"
    assert probe_audio(sound_named_video).rate_hz == 16000
    video_named_sound = tmp_path / "video.wav"
    video_named_sound.write_bytes(make("talking.mp4", *video(), *SINE, *H264, "-c:a", "aac").read_bytes())
    assert probe_audio(video_named_sound).codec == "aac"
    assert probe_video(video_named_sound).codec == "h264"
    assert code_of(probe_audio, clip) == "no_audio_stream"


def test_a_playlist_in_disguise_is_refused(clip: Path, tmp_path: Path):
    for number, text in enumerate(
        (f"ffconcat version 1.0\nfile {clip}\n", f"#EXTM3U\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n")
    ):
        path = tmp_path / f"{number}.mp4"
        path.write_text(text)
        assert code_of(probe_video, path) == "unreadable"


def test_the_limits_stop_a_playlist_that_would_play(clip: Path, tmp_path: Path):
    (tmp_path / "victim.mp4").write_bytes(clip.read_bytes())
    path = tmp_path / "list.mp4"
    path.write_text("ffconcat version 1.0\nfile victim.mp4\n")
    with av.open(str(path)) as played:
        assert played.streams.video
    with pytest.raises(av.FFmpegError):
        av.open(str(path), options=dict(INPUT_LIMITS))


def test_the_cover_of_a_song_is_no_picture(make):
    still = make("cover.png", *video(), "-frames:v", "1")
    song = make("song.mp3", *SINE, "-i", still, "-map", "0", "-map", "1", "-disposition:v:0", "attached_pic")
    assert code_of(probe_video, song) == "no_video_stream"
    assert probe_audio(song).codec.startswith("mp3")


@pytest.mark.parametrize("size", ["32x200", "200x62", "8256x64"])
def test_bad_size(make, size: str):
    assert code_of(probe_video, make(f"{size}.mkv", *video(size, seconds="0.08"), "-c:v", "mjpeg")) == "bad_size"


def test_a_clip_without_pictures(make):
    assert code_of(probe_video, make("none.mp4", *video(), "-vf", "select=0", *H264)) == "no_video_stream"


def test_half_an_upload(clip: Path, tmp_path: Path):
    path = tmp_path / "half.mp4"
    path.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    assert code_of(probe_video, path) == "unreadable"


def test_the_default_track_is_taken(make):
    path = make(
        "tracks.mka", *SINE, "-f", "lavfi", "-i", "sine=r=8000:d=1", "-map", "0", "-map", "1",
        "-disposition:a:0", "0", "-disposition:a:1", "default",
    )  # fmt: skip
    assert (probe_audio(path).rate_hz, probe_audio(path).stream_index) == (8000, 1)


def test_sample_aspect_turns_with_the_picture(make):
    wide = make("wide.mp4", *video(), "-vf", "setsar=4/3", *H264)
    turned = make("wide_turned.mp4", "-display_rotation", "90", "-i", wide, "-c", "copy")
    assert probe_video(wide).sample_aspect == Fraction(4, 3)
    info = probe_video(turned)
    assert (info.width, info.height, info.sample_aspect) == (120, 160, Fraction(3, 4))


@pytest.mark.parametrize("name", ["still.png", "still.jpg", "a%03d.png", "still.webp"])
def test_a_picture_is_a_clip_of_one_frame(make, name: str):
    info = probe_video(
        make(name, *video(), "-frames:v", "1", *(["-update", "1", "-f", "image2"] if "%" in name else []))
    )
    assert (info.is_still, info.fps, info.estimated_frames) == (True, 25, 1)


@pytest.mark.parametrize(
    ("name", "matrix"), [("bt709", "bt709"), ("smpte170m", "bt601"), ("bt470bg", "bt601"), ("bt2020nc", "bt2020")]
)
def test_the_matrix_that_the_file_names(make, name: str, matrix: str):
    info = probe_video(make(f"{name}.mp4", *video(), "-vf", f"setparams=colorspace={name}", *H264))
    assert (info.tags.matrix, info.colour.matrix, info.colour.full_range) == (name, matrix, False)


@pytest.mark.parametrize("matrix", [8, 12, 14])
def test_colours_that_nothing_converts_are_refused(make, clip: Path, matrix: int):
    label = f"h264_metadata=matrix_coefficients={matrix}"
    assert code_of(probe_video, make(f"matrix{matrix}.mp4", "-i", clip, "-c", "copy", "-bsf:v", label)) == "bad_colours"


def test_the_matrix_of_an_unlabelled_file_follows_its_size(make):
    small = probe_video(make("sd.mp4", *video("720x576", seconds="0.2"), *H264))
    large = probe_video(make("hd.mp4", *video("1280x720", seconds="0.2"), *H264))
    assert (small.tags.matrix, small.colour.matrix, large.colour.matrix) == (None, "bt601", "bt709")


def test_fields_are_seen(make):
    path = make("fields.mp4", *video(rate="50"), "-vf", "interlace", "-flags", "+ilme+ildct", *H264)
    assert probe_video(path).is_interlaced

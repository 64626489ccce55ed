"""What a user should know of a file that was taken. Looks at facts, never at files."""

from __future__ import annotations

from heygem.errors import NOTHING, Notice, Text
from heygem.media.audio_file import AudioFile
from heygem.media.frame_rate import FASTEST_FPS, SLOWEST_FPS
from heygem.media.media_info import VideoInfo
from heygem.media.packets import Packets

SILENT_PEAK = 1e-4
"""Below -80 dB of full scale there is nothing to hear."""

QUIET_RMS = 0.003
"""-50 dB of full scale; speech is at -30 to -15."""

CLIPPED_SHARE = 0.01
"""Share of the samples at full scale from which speech sounds torn."""

WIDE_HZ = 16_000
"""Samples per second that lip models hear; below, consonants are missing."""

_EXPORT_AGAIN = Text("如画面有花屏，请重新导出。", "If the picture shows it, export the clip again.")


def speech_notices(audio: AudioFile, packets: Packets) -> tuple[Notice, ...]:
    """What to know of a recording."""
    level, info, notices = audio.level, audio.info, []
    if level.peak < SILENT_PEAK:
        notices.append(
            Notice(
                "silent",
                Text("音频是静音，嘴会一直闭着。", "The recording is silent: the mouth will stay closed."),
                Text("请检查是否选对了文件。", "Check that it is the right file."),
            )
        )
    elif level.rms < QUIET_RMS:
        notices.append(
            Notice(
                "quiet",
                Text("音频音量很低。", "The recording is very quiet."),
                Text("请调高音量后重试。", "Make it louder."),
            )
        )
    if level.clipped > CLIPPED_SHARE:
        notices.append(
            Notice(
                "clipped",
                Text(
                    f"音频有 {level.clipped:.0%} 的采样已削波失真。",
                    f"{level.clipped:.0%} of the recording is clipped.",
                ),
                Text("请用较低的录音音量重录。", "Record it again at a lower level."),
            )
        )
    if info.rate_hz < WIDE_HZ:
        notices.append(
            Notice(
                "low_rate",
                Text(
                    f"音频采样率只有 {info.rate_hz} Hz，口型会不够清楚。",
                    f"The recording has only {info.rate_hz} Hz: lips will be less distinct.",
                ),
                Text("16 kHz 以上效果更好。", "16 kHz or more does better."),
            )
        )
    if info.tracks > 1:
        notices.append(
            Notice(
                "several_tracks",
                Text(
                    f"文件有 {info.tracks} 条音轨，使用默认的一条。",
                    f"The file has {info.tracks} sound tracks; the default one is used.",
                ),
            )
        )
    if audio.complaint:
        notices.append(
            Notice(
                "lossy_damage", Text("音频有少量损坏，已跳过。", "Small parts of the recording are damaged; skipped.")
            )
        )
    return (*notices, *_missing(packets))


def clip_notices(info: VideoInfo, packets: Packets, broken: int, pictures: int) -> tuple[Notice, ...]:
    """What to know of a clip.

    Args:
        info: What the probe found.
        packets: What is there of it.
        broken: Pictures that did not decode whole.
        pictures: Pictures in all.
    """
    rate = packets.count / packets.seconds if packets.seconds and not info.is_still else 0.0
    facts: tuple[tuple[bool, str, Text], ...] = (
        (info.is_still, "still_picture", Text("这是一张静态图片。", "This is a still picture.")),
        (
            info.tracks > 1,
            "several_tracks",
            Text(
                f"文件有 {info.tracks} 条画面，使用默认的一条。",
                f"The file has {info.tracks} pictures beside each other; the default one is used.",
            ),
        ),
        (
            info.is_downscaled,
            "downscaled",
            Text(
                f"画面为 {info.coded_width}×{info.coded_height}，缩小到 {info.width}×{info.height} 处理。",
                f"The clip is {info.coded_width} x {info.coded_height}, worked on at {info.width} x {info.height}.",
            ),
        ),
        (
            info.is_hdr,
            "hdr_tone_mapped",
            Text("HDR 画面已转换为 SDR（BT.709）。", "The clip is HDR; the result is SDR (BT.709)."),
        ),
        (
            info.has_alpha,
            "alpha_dropped",
            Text("画面如有透明部分，会变成黑色。", "What is transparent in the clip becomes black."),
        ),
        (
            info.is_variable_rate,
            "variable_rate",
            Text(
                f"画面帧率不固定，按每秒 {float(info.fps):.2f} 帧处理。",
                f"The clip has no constant frame rate; it is read at {float(info.fps):.2f}.",
            ),
        ),
        (
            not info.is_variable_rate and not info.is_still and not SLOWEST_FPS <= rate <= FASTEST_FPS + 1,
            "rate_changed",
            Text(
                f"画面为每秒 {rate:.1f} 帧，按 {float(info.fps):.2f} 帧处理。",
                f"The clip has {rate:.1f} pictures per second; it is read at {float(info.fps):.2f}.",
            ),
        ),
        (
            info.is_interlaced,
            "deinterlaced",
            Text("隔行扫描的画面已逐行化。", "The clip is interlaced; its fields are joined."),
        ),
    )
    notices = [Notice(code, text, NOTHING) for holds, code, text in facts if holds]
    if broken:
        notices.append(
            Notice(
                "lossy_damage",
                Text(
                    f"{pictures} 帧中有 {broken} 帧不完整。",
                    f"{broken} of {pictures} pictures are not whole.",
                ),
                _EXPORT_AGAIN,
            )
        )
    return (*notices, *_missing(packets))


def _missing(packets: Packets) -> tuple[Notice, ...]:
    if packets.share == 1:
        return ()
    text = Text(
        f"文件结尾缺少 {1 - packets.share:.1%} 的内容。", f"{1 - packets.share:.1%} of the file is missing at its end."
    )
    return (Notice("cut_short", text, Text("上传可能中断了。", "The upload may have broken off.")),)

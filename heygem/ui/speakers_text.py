"""The words of the Speakers section, in both languages. Knows nothing of how they are shown."""

from __future__ import annotations

from heygem.errors import Text

SPEAKERS = Text("说话人", "Speakers")
NO_SPEAKERS = Text("还没有自己的说话人", "No speakers of your own yet")
NEEDS = Text(
    "一段本人出镜说话的视频，带原声，至少 6 秒，一两分钟最好，脸一直清晰可见。"
    "训练约需 5 到 20 分钟，在服务器上进行，可以关闭页面。",
    "One video of the person speaking, with its own sound: 6 s at least, best a minute or two, the face always in "
    "sight. Training takes some 5 to 20 minutes on the server; you may close this page.",
)
NAME_OR_CLIP_MISSING = Text("请先填写名称并上传视频。", "Give a name and upload a clip first.")
SOUND_LATE = Text("声音晚", "sound late by")
BUILT_IN = Text("内置", "built-in")
NO_FIGURES = Text("没有测量数据", "no figures")
USE_AS_LIPS = Text("用作口型", "Use as lips")
IS_CHOSEN = Text("单条生成已选用", "chosen in Single")
SHOW_FILM = Text("看前后对比", "Before and after")
DELETE = Text("删除说话人", "Delete speaker")
DELETE_ONE = Text(
    "删除说话人“{}”？排队中用到它的任务会失败。此操作无法撤销。",
    "Delete the speaker “{}”? Jobs that wait and name it will fail. This cannot be undone.",
)

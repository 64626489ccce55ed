"""Every word on the page, in both languages. Knows nothing of how it is shown."""

from __future__ import annotations

from heygem.errors import Text
from heygem.jobs.job import JobKind, JobStatus
from heygem.pipeline.progress import Stage

TAGLINE = Text("数字人口播视频生成", "Talking videos of a person")
SWITCH_LANGUAGE = Text("切换到英文 (English)", "Switch to Chinese (中文)")
SWITCH_THEME = Text("切换深色与浅色", "Switch between dark and light")
WORKING = Text("生成中", "Working")
IDLE = Text("空闲", "Idle")

SPEECH = Text("语音", "Speech")
SPEECH_HINT = Text("WAV / MP3 / M4A …", "WAV / MP3 / M4A …")
CLIP = Text("人物视频", "Clip of the person")
UNSEEN_CLIP = Text(
    "浏览器无法预览此编码，不影响生成。", "The browser cannot show this codec; the job can use the clip."
)
CLIPS = Text("人物视频（可多选）", "Clips (select many)")
CLIPS_HINT = Text("可多次添加", "Drop more at any time")
CLIPS_COUNT = Text("个视频", "clips")
CLIPS_AGAIN = Text("再用一次刚才提交的 {} 个视频", "Use the {} clips submitted last once more")
CLIP_OPTIONS = Text("单独设置", "Options of this clip")
UP = Text("上移", "Move up")
DOWN = Text("下移", "Move down")
REMOVE = Text("移除", "Remove")
REMOVE_ALL = Text("全部移除", "Remove all")
REMOVE_ALL_ASK = Text("从列表中移除全部 {} 个视频？", "Remove all {} clips from the list?")
REMOVE_BAD = Text("移除有问题的 {} 个", "Remove the {} marked")
AS_ALL = Text("恢复为共用设置", "As all the others")
WILL_FAIL = Text("无法生成", "Would fail")
REMARKS = Text("注意", "Remarks:")
SHOW_REMARKS = Text("查看注意事项", "See what to know of this clip")
LOOKING_SHORT = Text("正在查看", "Looking")
LOOKED_AT = Text("已预检", "Looked at")
BAD_FAIL_ALONE = Text(
    "有问题的视频也会提交，只有它们自己失败，其余照常生成；也可以先移除。",
    "Marked clips are submitted too: they fail on their own, and all others are made. Or remove them first.",
)
TWIN = Text("与前面的一个视频及设置完全相同。", "A clip before it is the same, with the same options.")
TWIN_HINT = Text("会生成两份一样的结果。", "The same video would be made twice.")
TOO_LITTLE_ROOM = Text("磁盘空间不够：只可用 {} MB。", "Too little room on the disk: {} MB can be used.")
TOO_LITTLE_ROOM_HINT = Text("请先清理磁盘，或减少视频。", "Free some space first, or submit fewer clips.")
CLIPS_LEFT_OUT = Text(
    "一批最多 {most} 个视频，后 {left} 个没有加入。", "A batch takes {most} clips; the last {left} were not added."
)
CLIPS_GONE = Text("上传的文件保留一天，已经删除：{}。", "Uploads are kept for a day; these are gone: {}.")
SPEAKERS_GONE = Text(
    "已删除的说话人不再使用：{}。请检查口型引擎。", "Deleted speakers are used no more: {}. Check the lip engine."
)
UPLOAD_AGAIN = Text("请重新上传。", "Upload them again.")
CSV_HINT = Text(
    "首行为列名：video（已上传视频的文件名），可选 audio 和任何选项，如 crf、face、sync_offset_ms。",
    "Its first line names the columns: video (the name of an uploaded clip), audio if wanted, and any option: crf, "
    "face, sync_offset_ms …",
)
CLIP_HINT = Text("MP4 / MOV …，单个不超过 {}", "MP4 / MOV …, up to {} each")
RESULT = Text("结果", "Result")
BATCH_RESULTS = Text("进度与结果", "Progress and results")
NO_SINGLE_YET = Text(
    "上传语音和人物视频，然后点击“开始生成”。任务在服务器上运行，可以刷新或关闭页面。",
    "Upload a speech and a clip, then press Generate. The job runs on the server: you may refresh or close this page.",
)
NO_BATCH_YET = Text(
    "上传一段语音和若干视频，然后点击“提交批量任务”，这里会显示进度。",
    "Upload one speech and some clips, then press Submit batch. Progress appears here.",
)
GENERATING = Text("生成中…", "Generating…")
NEWEST_FRAME = Text("刚刚绘制的画面", "Newest drawn frame")
NO_RESULT = Text("这个任务没有生成视频", "This job made no video")
NO_RESULT_YET = Text("视频生成后在这里播放", "The video will play here")
QUEUE = Text("任务队列", "Queue")
QUEUE_EMPTY = Text("没有正在运行或等待的任务", "Nothing runs or waits")
RUNNING_COUNT = Text("运行", "running")
WAITING_COUNT = Text("等待", "waiting")
RECENT = Text("最近结束", "Recent")
RAIL = Text("队列与日志", "Queue and log")
CLOSE_RAIL = Text("关闭队列与日志", "Close queue and log")
RUN_LOG = Text("运行日志", "Run log")
MODELS = Text("模型", "Models")
MODELS_EMPTY = Text("第一个任务开始时才加载模型", "Models are loaded when the first job starts")
RESIDENT = Text("常驻", "resident")
UNLOADED = Text("未驻留", "not resident")
LOADS = Text("加载", "loads")
HITS = Text("命中", "hits")
ACTORS = Text("集群", "Cluster")
ACTOR_JOBS = Text("已完成任务", "jobs done:")
ACTOR_STATES = {
    "busy": Text("工作中", "at work"),
    "warm": Text("待命", "ready"),
    "cold": Text("未启动", "not started"),
    "refused": Text("已拒绝", "refused"),
}

POSITION = Text("排队第", "position in the queue:")
DONE_IN = Text("预计还需", "done in about")
TOOK = Text("用时", "took")
REMAINING = Text("本阶段剩余", "left in this stage:")
FRAMES = Text("帧", "frames")
PER_SECOND = Text("帧/秒", "frames/s")
CANCEL = Text("取消", "Cancel")
PLAY = Text("播放", "Play")
DOWNLOAD = Text("下载", "Download")
RETRY = Text("重试", "Retry")
TO_FRONT = Text("移到最前", "Move to front")
DELETE = Text("删除", "Delete")
CLOSE = Text("关闭播放器", "Close player")
GO_BACK = Text("返回", "Go back")
YES = Text("确定", "Yes")
DELETE_ONE = Text("删除“{}”及其结果？此操作无法撤销。", "Delete “{}” and its result? This cannot be undone.")
DELETE_MANY = Text(
    "删除选中的 {} 个任务及其结果？此操作无法撤销。",
    "Delete the {} selected jobs and their results? This cannot be undone.",
)
CANCEL_MANY = Text("取消这一批中尚未结束的 {} 个任务？", "Cancel the {} jobs of this batch that have not ended?")
PROGRESS = Text("进度", "Progress")
NOW = Text("当前", "now:")
CANCEL_BATCH = Text("取消整批", "Cancel batch")
RETRY_FAILED = Text("重试失败的", "Retry failed:")
ZIP_ALL = Text("打包下载全部 {done} 个 (ZIP)", "Download all {done} (ZIP)")
ZIP_SOME = Text(
    "打包下载已完成的 {done} 个 (ZIP)，还缺 {missing} 个", "Download the {done} done (ZIP), {missing} missing"
)
NOT_ENDED = Text("任务还没有结束，请先取消。", "The job has not ended yet; cancel it first.")

HISTORY_EMPTY = Text("还没有任务", "No jobs yet")
HISTORY_NONE = Text("没有符合条件的任务", "No job fits")
JOBS = Text("任务", "Jobs")
SELECT = Text("选择", "Select")
SELECT_PAGE = Text("全选本页", "Select this page")
DELETE_SELECTED = Text("删除选中的", "Delete selected:")
NEWER = Text("上一页", "Newer")
OLDER = Text("下一页", "Older")
PAGES = Text("翻页", "Pages")
NO_RERUN = Text(
    "已完成任务的输入文件已删除；要重新生成，请重新上传并提交",
    "A finished job's uploads are deleted; to make it again, upload them and submit",
)

SPEECH_OR_CLIP_MISSING = Text("请先上传语音和人物视频。", "Upload a speech and a clip first.")
SPEECH_OR_CLIPS_MISSING = Text("请先上传语音和至少一个视频。", "Upload a speech and at least one clip first.")
NOT_UPLOADED = Text("只接受在本页上传的文件。", "Only files that were uploaded on this page are taken.")

USER_NAME = Text("用户名", "User name")
PASSWORD = Text("密码", "Password")
SIGN_IN = Text("登录", "Sign in")
SIGN_OUT = Text("退出登录", "Sign out")
SIGN_IN_FIRST = Text("请先登录。", "Sign in first.")
SESSION_ENDED = Text("登录已失效，请重新登录。", "Your session has ended; sign in again.")
WRONG_PASSWORD = Text("用户名或密码不对。", "User name or password is wrong.")

PREFLIGHT = Text("预检", "Before you start")
LOOKING = Text("正在查看文件…", "Looking at the files…")
FACE_IN = Text("有人脸的画面", "with a face")
WHO_SPEAKS = Text("谁来说话？点击选择", "Who speaks? Click to choose")
PERSON = Text("人物", "Person")
LARGEST = Text("最大的脸", "Largest face")
LEFTMOST = Text("最左边的脸", "Leftmost face")
BY_PLACE_ONLY = Text(
    "镜头或人物有变化，无法可靠编号，只能按位置选择。",
    "Shots or people change, so numbers would not be reliable: choose by place.",
)
NEEDS = Text("需要磁盘", "Disk needed")
EXPECTED = Text("预计用时", "Expected time")
UNKNOWN_PACE = Text("第一个任务完成后可知", "known after the first job")
ALL_GOOD = Text("可以开始", "Ready")

COMPARE = Text("与原片对比", "Compare with the clip")
PREVIEW_OF = Text("预览：结果的第 {} 至 {} 秒，最难的一段", "Preview: seconds {} to {} of the result, the hardest")
BEFORE = Text("原片", "Clip")
AFTER = Text("结果", "Result")
NO_JOB_YET = Text("还没有任务。", "There is no job yet.")

ALL_LEVELS = Text("全部级别", "All levels")
FROM_WARNING = Text("警告和错误", "Warnings, errors")
ERRORS_ONLY = Text("只看错误", "Errors")
LEVEL = Text("日志级别", "Level")
JOB = Text("任务", "Job")
ALL_JOBS = Text("全部任务", "All jobs")
LOG_FILE = Text("下载日志文件", "Download the log file")

VRAM = Text("显存剩余", "VRAM left")
DISK = Text("磁盘剩余", "Disk left")
LOADING_TOOK = Text("加载用时", "loading took")
IN_USE = Text("使用中", "in use")
UNUSED_FOR = Text("闲置", "idle for")
WARM_UP = Text("预热", "Warm up")
WARM_UP_INFO = Text("现在就加载默认模型", "Load the default models now")
UNLOAD = Text("卸载", "Unload")
UNLOAD_INFO = Text(
    "释放内存；使用中的模型在任务结束后释放", "Free the memory; models in use are freed when their job ends"
)
MISSING_WEIGHTS = Text("缺少的权重", "Missing weights")
MISSING_WEIGHTS_INFO = Text(
    "没有它们也能生成。文件从官方来源下载到服务器，校验后供新任务使用；也可运行所列命令。",
    "It works without them. The server fetches and verifies them, for new jobs to use; so do the commands below.",
)
LICENCE = Text("许可：", "Licence:")
DOWNLOAD_ALL = Text("全部下载", "Download all")
WAITS = Text("等待下载", "waits")
STOPPING = Text("正在停止…", "stopping…")
VERIFYING = Text("正在校验…", "verifying…")

STATUS = {
    JobStatus.QUEUED: Text("排队中", "Queued"),
    JobStatus.RUNNING: Text("生成中", "Running"),
    JobStatus.DONE: Text("已完成", "Done"),
    JobStatus.FAILED: Text("失败", "Failed"),
    JobStatus.CANCELLED: Text("已取消", "Cancelled"),
    JobStatus.INTERRUPTED: Text("中断", "Interrupted"),
}
STAGE = {
    Stage.LOADING: Text("检查文件、加载模型", "Files, models"),
    Stage.LISTENING: Text("分析语音", "Speech"),
    Stage.TRACKING: Text("跟踪人脸", "Faces"),
    Stage.DRAWING: Text("绘制口型", "Lips"),
    Stage.FINISHING: Text("收尾", "Finish"),
}

SPEAKER_STAGE = {
    Stage.LOADING: Text("检查视频", "Check"),
    Stage.TRACKING: Text("看口型", "Lips"),
    Stage.LISTENING: Text("听声音", "Sound"),
    Stage.DRAWING: Text("训练", "Training"),
    Stage.FINISHING: Text("测量", "Measure"),
}
KIND = {JobKind.SPEAKER: Text("说话人", "Speaker"), JobKind.PREVIEW: Text("预览", "Preview")}
"""What a job makes that is no whole video."""
SAMPLES = Text("个样本（最多）", "samples at most")
SAMPLES_PER_SECOND = Text("样本/秒", "samples/s")

LABELS = {
    "single": Text("单条生成", "Single"),
    "batch": Text("批量生成", "Batch"),
    "history": Text("历史记录", "History"),
    "search": Text("搜索", "Search"),
    "search_for": Text("文件名或任务编号", "File name or job id"),
    "state": Text("状态", "State"),
    "any_state": Text("全部状态", "Any state"),
    "date": Text("提交时间", "Submitted"),
    "any_date": Text("全部时间", "Any time"),
    "today": Text("今天", "Today"),
    "days_7": Text("最近 7 天", "Last 7 days"),
    "days_30": Text("最近 30 天", "Last 30 days"),
    **{f"state_{status}": words for status, words in STATUS.items()},
    "speech": SPEECH,
    "clip": CLIP,
    "clips": CLIPS,
    "generate": Text("开始生成", "Generate"),
    "preview": Text("预览 5 秒", "Preview 5 s"),
    "example_lin": Text("示例：小林 · 中文", "Example: Lin · Chinese"),
    "example_victor": Text("示例：维克多 · 英文", "Example: Victor · English"),
    "example_amara": Text("示例：阿玛拉 · 英文", "Example: Amara · English"),
    "cancel": CANCEL,
    "train_speaker": Text("训练新的说话人", "Train a speaker"),
    "speaker_name": Text("名称", "Name"),
    "speaker_name_info": Text("字母、汉字、数字、- 和 _，最多 40 个", "Letters, digits, - and _; 40 at most"),
    "train": Text("开始训练", "Train"),
    "again": Text("把设置填回选项", "Load these settings"),
    "csv": Text("用 CSV 清单排列和设置", "Arrange by a CSV list"),
    "submit_batch": Text("提交批量任务", "Submit batch"),
    "options": Text("选项", "Options"),
    "lips": Text("口型引擎", "Lip engine"),
    "lips_info": Text(
        "自动：有官方 Wav2Lip 权重时用它，否则用内置模型",
        "Auto: the official Wav2Lip weights where present, else the built-in model",
    ),
    "enhancer": Text("人脸增强", "Face enhancer"),
    "enhancer_info": Text("自动：有 GFPGAN 权重时启用", "Auto: on where GFPGAN's weights are present"),
    "strength": Text("增强强度", "Enhancer strength"),
    "strength_info": Text("0 保持原样，1 完全增强", "0 leaves the face as drawn, 1 is the full effect"),
    "mask": Text("替换范围", "What is replaced"),
    "mask_info": Text("嘴部和下半脸边缘柔和，方框边缘硬", "Mouth and lower face have soft edges, the box hard ones"),
    "face": Text("哪张脸", "Whose face"),
    "face_info": Text("也可输入序号，从 0 开始", "Or a number, counted from 0"),
    "extend": Text("语音比视频长时", "When the speech is longer than the clip"),
    "extend_info": Text("往返播放最不易察觉", "Back and forth is the least visible"),
    "smooth": Text("人脸框平滑", "Smoothing of the face box"),
    "smooth_info": Text("平稳：不跨镜头平滑", "Steady never smooths across cuts"),
    "pad_top": Text("上边距（像素）", "Pad top (pixels)"),
    "pad_bottom": Text("下边距", "Pad bottom"),
    "pad_left": Text("左边距", "Pad left"),
    "pad_right": Text("右边距", "Pad right"),
    "sync": Text("口型偏移（毫秒）", "Sync offset (ms)"),
    "sync_info": Text("正值让口型更晚", "Positive values make the lips later"),
    "crf": Text("编码质量 (CRF)", "Encoding quality (CRF)"),
    "crf_info": Text("越小越清晰，文件越大；默认 18", "Lower is sharper and larger; 18 by default"),
    "label_position": Text("「AI生成」标识的位置", "Corner of the AI label"),
    "label_position_info": Text(
        "依法默认标识；开关由管理员设置", "Labelled by default, as laws ask; only the operator can change that"
    ),
    "top-right": Text("右上", "Top right"),
    "top-left": Text("左上", "Top left"),
    "bottom-right": Text("右下", "Bottom right"),
    "bottom-left": Text("左下", "Bottom left"),
    "label_duration": Text("标识时长（秒）", "Label shown for (s)"),
    "label_duration_info": Text(
        "从开头算起，至少 4 秒；0 为整段视频", "From the start, at least 4; 0: the whole video"
    ),
    "auto": Text("自动", "Auto"),
    "wav2lip": Text("Wav2Lip", "Wav2Lip"),
    "demo": Text("内置模型", "Built-in model"),
    "gfpgan": Text("GFPGAN", "GFPGAN"),
    "none": Text("关闭", "Off"),
    "mouth": Text("嘴部", "Mouth"),
    "lower-face": Text("下半脸", "Lower face"),
    "box": Text("整个方框", "Whole box"),
    "largest": Text("最大的脸", "Largest"),
    "first": Text("最先出现", "First to appear"),
    "leftmost": Text("最左边", "Leftmost"),
    "pingpong": Text("往返播放", "Back and forth"),
    "loop": Text("循环", "Loop"),
    "freeze": Text("定格", "Freeze"),
    "steady": Text("平稳", "Steady"),
    "wav2lip_mean": Text("Wav2Lip 的 5 帧平均", "Wav2Lip's mean of 5"),
}
"""Words that gradio's own components show; gradio picks the language in the browser."""

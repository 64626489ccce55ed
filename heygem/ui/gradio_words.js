// Some of gradio's own words are there in English only: here a Chinese page gets them in Chinese. And names of our own
// that are there in both languages, because a style sheet cannot hide one of an attribute's, stay in the page's alone.

const in_seconds = (number) => Number(number).toFixed(1);
const chinese = [
  [/^Connection to the server was lost\..*$/, '与服务器的连接已断开，正在重新连接…'],
  [/^File\(s\) exceed the maximum allowed size of (.*?): (.*)$/, '文件超过允许的大小 $1：$2'],
  [/^Invalid file types?: (.*)\. Only (.*) allowed\.$/, '不接受这种文件：$1。可用的类型：$2。'],
  [/^Video not playable$/, '浏览器无法播放此视频'],
  [/^(Error|Connection Lost)$/, '错误'],
  [/^Warning$/, '警告'],
  [/^Close$/, '关闭'],
  [/^Reset to default value$/, '恢复默认值'],
  [/^number input for (.*)$/, '$1：数字'],
  [/^range slider for (.*)$/, '$1：滑块'],
  [/^Click to upload or drop files$/, '点击上传，或把文件拖放到此处'],
  [/^Adjust volume$/, '调节音量'],
  [/^Adjust playback speed to (.*)$/, '播放速度改为 $1'],
  [/^Skip backwards by (.*) seconds$/, (_, number) => `后退 ${in_seconds(number)} 秒`],
  [/^Skip forward by (.*) seconds$/, (_, number) => `前进 ${in_seconds(number)} 秒`],
  [/^play-pause-replay-button$/, '播放或暂停'],
  [/^full-screen$/, '全屏'],
  [/^Reset audio$/, '恢复原状'],
  [/^Trim audio to selection$/, '剪裁'],
  [/^Trim$/, '剪裁'],
  [/^Cancel$/, '取消'],
  [/^undo$/, '撤销'],
];
const english = [
  [/^(Skip \w+ by) (\d+\.\d{2,}) seconds$/, (_, skip, number) => `${skip} ${in_seconds(number)} seconds`],
  [/^play-pause-replay-button$/, 'Play or pause'],
];

// Where gradio puts what a user uploads: besides its messages the only parts that say anything of their own.
const EDITORS = ':is(#single-speech, #batch-speech, #single-clip, #speaker-clip)';
const SPEAKING = `.toast-wrap, ${EDITORS} button`;
const NAMED_BY_GRADIO = `button, input, ${EDITORS} *`;
const NAMES = ['aria-label', 'title', 'alt'];

// As `both` of html_parts.py writes them, and what they are names for: 取消 / Cancel: clip.mp4
const BOTH = /^([^/]*\p{Script=Han}[^/]*) \/ ([^:]*)(: .*)?$/su;

const translated = (words, table) => {
  const found = table.find(([pattern]) => pattern.test(words.trim()));
  return found ? words.trim().replace(...found) : words;
};

const translate = (root) => {
  const is_chinese = document.documentElement.lang.startsWith('zh');
  const table = is_chinese ? chinese : english;
  for (const node of root.closest(SPEAKING) ? [root] : root.querySelectorAll(SPEAKING)) {
    const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const words = translated(texts.currentNode.data, table);
      if (words !== texts.currentNode.data) texts.currentNode.data = words;
    }
  }
  for (const node of [root, ...root.querySelectorAll(':is([aria-label], [title], [alt])')]) {
    for (const name of NAMES.filter((name) => node.hasAttribute(name))) {
      const words = node.getAttribute(name);
      const [, zh, en, of = ''] = BOTH.exec(words) ?? [];
      const in_one = zh && (is_chinese ? zh : en) + of;
      const said = in_one ?? (node.matches(NAMED_BY_GRADIO) ? translated(words, table) : words);
      if (said !== words) node.setAttribute(name, said);
    }
  }
};

// Only what changed is looked at: while a job runs, something does many times a second.
new MutationObserver((changes) => {
  const changed = changes.flatMap(({type, target, addedNodes}) => (type === 'attributes' ? [target] : [...addedNodes]));
  const roots = changed.map((node) => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node));
  for (const root of new Set(roots)) if (root?.nodeType === Node.ELEMENT_NODE) translate(root);
}).observe(document, {childList: true, subtree: true, attributeFilter: NAMES});

// Some of gradio's own words are there in English only: here a Chinese page gets them in Chinese.

const chinese = [
  [/^Connection to the server was lost\..*$/, '与服务器的连接已断开，正在重新连接…'],
  [/^File\(s\) exceed the maximum allowed size of (.*?): (.*)$/, '文件超过允许的大小 $1：$2'],
  [/^Invalid file types?: (.*)\. Only (.*) allowed\.$/, '不接受这种文件：$1。可用的类型：$2。'],
  [/^(Error|Connection Lost)$/, '错误'],
  [/^Warning$/, '警告'],
  [/^Close$/, '关闭'],
  [/^Reset to default value$/, '恢复默认值'],
  [/^number input for (.*)$/, '$1：数字'],
  [/^range slider for (.*)$/, '$1：滑块'],
  [/^Click to upload or drop files$/, '点击上传，或把文件拖放到此处'],
];

const translated = (english) => {
  const found = chinese.find(([pattern]) => pattern.test(english.trim()));
  return found ? english.trim().replace(...found) : english;
};

const translate = () => {
  for (const toast of document.querySelectorAll('.toast-wrap')) {
    const texts = document.createTreeWalker(toast, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const words = translated(texts.currentNode.data);
      if (words !== texts.currentNode.data) texts.currentNode.data = words;
    }
  }
  for (const name of ['aria-label', 'title']) {
    for (const node of document.querySelectorAll(`:is(button, input)[${name}]`)) {
      const words = translated(node.getAttribute(name));
      if (words !== node.getAttribute(name)) node.setAttribute(name, words);
    }
  }
};

new MutationObserver(() => { if (document.documentElement.lang.startsWith('zh')) translate(); })
  .observe(document, {childList: true, subtree: true});

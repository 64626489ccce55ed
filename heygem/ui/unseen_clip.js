// A clip that is taken may be in a codec that this browser does not show, and leaves an empty box: it is said there.
// After gradio_words.js; UNSEEN is what to say, in both languages.

const note = ({target}) => {
  const box = target.tagName === 'VIDEO' && target.closest(EDITORS);
  if (!box) return;
  if (target.videoWidth) delete box.dataset.unseen;
  else box.dataset.unseen = document.documentElement.lang.startsWith('zh') ? UNSEEN[0] : UNSEEN[1];
};
// The sound of such a clip may be played, or nothing of it.
for (const name of ['loadedmetadata', 'error']) document.addEventListener(name, note, true);

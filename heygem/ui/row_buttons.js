// For a gr.HTML whose buttons have data-act and data-job. Gradio calls this once; redraws patch the nodes in place, so
// that a node may come to stand for another job: under a finger that is down, or under the keyboard's focus.

const button_of = (event) => event.target.closest('[data-act]');
// A tick stays the same one when it is set: select, unselect.
const key = (node) => node && JSON.stringify([(node.dataset.act ?? '').replace(/^un/, ''), node.dataset.job]);
const row_of = (node) => node.closest('[data-job]');
let pressed = null;
let focused = null;

element.addEventListener('click', async (event) => {
  const button = button_of(event);
  const is_by_pointer = event.detail > 0;
  if (!button || event.detail > 1 || (is_by_pointer && pressed !== key(button))) return;
  const {act, job, askZh, askEn} = button.dataset;
  if (askZh && !(await says_yes(askZh, askEn))) return;
  trigger('click', {act, job});
});

function says_yes(zh, en) {
  const dialog = document.querySelector('#hg-confirm');
  dialog.querySelector('p .zh').textContent = zh;
  dialog.querySelector('p .en').textContent = en;
  // A question that was dismissed stays without an answer. That a dialog closed is told late, perhaps while it asks again.
  dialog.asking?.abort();
  dialog.asking = new AbortController();
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = (event) => resolve(event.submitter.value === 'yes');
    dialog.querySelector('form').addEventListener('submit', answer, {once: true, signal: dialog.asking.signal});
  });
}

document.addEventListener('pointerdown', (event) => {
  pressed = key(button_of(event));
  if (!element.contains(event.target)) focused = null;
}, true);
document.addEventListener('focusin', (event) => {
  const row = element.contains(event.target) && row_of(event.target);
  focused = row ? {node: event.target, key: key(row)} : null;
});

watch('value', () => requestAnimationFrame(() => {
  // What a user has ticked does not follow the attribute any more.
  for (const box of element.querySelectorAll('input[type=checkbox]')) box.checked = box.hasAttribute('checked');
  if (!focused || (focused.node.isConnected && key(row_of(focused.node)) === focused.key)) return;
  const [, job] = JSON.parse(focused.key);
  const of_job = [...element.querySelectorAll('[data-job]')].filter((node) => node.dataset.job === job);
  const next = of_job.find((node) => key(node) === focused.key) ?? of_job.find((node) => node.tabIndex === -1);
  // Never on a button that does something else: it may be pressed again at once.
  if (next) next.focus(); else focused.node.blur();
}));

// After row_buttons.js, for a list whose rows have data-job: a row is dragged by its grip to another's place, and a
// field with data-change says its value when it is left. Both are told as buttons are.

let dragged = null;
const row_under = (event) => event.target.closest('li[data-job]');

const mark = (row) => {
  for (const marked of element.querySelectorAll('li.hg-target')) if (marked !== row) marked.classList.remove('hg-target');
  if (row) row.classList.add('hg-target');
};

element.addEventListener('dragstart', (event) => {
  const row = event.target.closest('.hg-grip') && row_under(event);
  if (!row) return;
  dragged = row.dataset.job;
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', '');  // without data Firefox begins no drag
  event.dataTransfer.setDragImage(row, 12, 12);
});

element.addEventListener('dragover', (event) => {
  if (dragged === null) return;
  const row = row_under(event);
  mark(row);
  if (row) event.preventDefault();
});

element.addEventListener('drop', (event) => {
  const row = dragged !== null && row_under(event);
  if (!row) return;
  event.preventDefault();
  if (row.dataset.job !== dragged) trigger('click', {act: `clip-to ${row.dataset.job}`, job: dragged});
});

element.addEventListener('dragend', () => {
  dragged = null;
  mark(null);
});

element.addEventListener('change', (event) => {
  const field = event.target.closest('[data-change]');
  if (field) trigger('click', {act: `${field.dataset.change} ${field.value}`, job: field.dataset.job});
});

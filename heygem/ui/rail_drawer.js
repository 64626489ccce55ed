// For the gr.HTML with the button that opens the rail, which is a drawer where the window is narrow: see page.css.

const narrow = matchMedia('(max-width: 700px)');
const rail = () => document.querySelector('#rail');
const button = () => element.querySelector('button');
const backdrop = Object.assign(document.createElement('div'), {id: 'hg-backdrop'});
let is_open = false;

function set(open) {
  if (open === is_open) return;
  is_open = open;
  const drawer = rail();
  drawer.classList.toggle('hg-open', open);
  document.documentElement.style.overflow = open ? 'hidden' : '';
  // Everything that is neither the drawer nor around it, nor a message: the keyboard and screen readers stay inside.
  for (let node = drawer; node !== document.body; node = node.parentElement)
    for (const other of node.parentElement.children)
      if (other !== node && other !== backdrop && !other.matches('.toast-wrap')) other.inert = open;
  if (open) {
    drawer.parentElement.append(backdrop);
    drawer.setAttribute('role', 'dialog');
    drawer.setAttribute('aria-modal', 'true');
    drawer.setAttribute('aria-label', button().textContent.trim());
    drawer.tabIndex = -1;
    drawer.focus();
  } else {
    backdrop.remove();
    for (const name of ['role', 'aria-modal', 'aria-label', 'tabindex']) drawer.removeAttribute(name);
    if (narrow.matches) button().focus();
  }
  show();
}

const show = () => button().setAttribute('aria-expanded', is_open);

element.addEventListener('click', (event) => { if (event.target.closest('button')) set(true); });
backdrop.addEventListener('click', () => set(false));
document.addEventListener('click', (event) => { if (event.target.closest?.('#rail-close')) set(false); });
document.addEventListener('keydown', (event) => {
  // A question that is open, or a list that folds away, has the key for itself.
  if (event.key === 'Escape' && is_open && !event.defaultPrevented && !document.querySelector('dialog[open]')) set(false);
});
narrow.addEventListener('change', () => { if (!narrow.matches) set(false); });
watch('value', () => requestAnimationFrame(show));  // a redraw takes the attribute back

// Takes the content of the page anew, and only what changed, so that focus, selection and place stay.
const key = one => one && (one.id || one.href || one.dataset.copy || (one.form && one.form.elements.id.value + one.value));
const focusable = 'a[href], button, input';
async function look() {
  const reply = await fetch(location.href, { cache: 'no-store' }).catch(() => null);
  if (!reply || !reply.ok) return;
  const page = new DOMParser().parseFromString(await reply.text(), 'text/html');
  const [now, next] = [document.querySelector('main'), page.querySelector('main')];
  if (!next || now.innerHTML === next.innerHTML || !getSelection().isCollapsed) return;
  const focus = now.contains(document.activeElement) && key(document.activeElement);
  const across = now.querySelector('.board')?.scrollLeft;
  now.replaceChildren(...next.childNodes);
  if (across) now.querySelector('.board').scrollLeft = across;
  if (focus) [...now.querySelectorAll(focusable)].find(one => key(one) === focus)?.focus({ preventScroll: true });
  if (!page.querySelector('script')) clearInterval(timer);
}
document.addEventListener('click', async event => {
  const button = event.target.closest('button[data-copy]');
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = 'Copied';
});
const timer = setInterval(look, 1000);

// Times in the viewer's own zone, the choice of light or dark, and passkeys, which only the browser can ask for; nothing else runs in the browser but the framework.
class LocalTime extends HTMLElement {
  static observedAttributes = ['at'];
  connectedCallback() { this.show(); }
  attributeChangedCallback() { this.show(); }
  show() {
    const at = new Date(this.getAttribute('at'));
    this.textContent = isNaN(at) ? '' : at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
    this.title = this.getAttribute('at') ?? '';
  }
}
customElements.define('local-time', LocalTime);
window.reelbase = {
  theme(chosen) {
    if (chosen) localStorage.setItem('reelbase-theme', chosen);
    return localStorage.getItem('reelbase-theme');
  },
  save(name, text) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  },
};

// Our forms' token: what comes without it is not from a page of ours.
async function post(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', RequestVerificationToken: document.querySelector('input[name="__RequestVerificationToken"]').value },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) {
    const fault = new Error(said.error?.message ?? String(answer.status));
    fault.status = answer.status;
    throw fault;
  }
  return said;
}
// What is absent is null in .NET and not there in a browser.
const plain = (value) => (value && typeof value === 'object' && !Array.isArray(value)
  ? Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([name, inner]) => [name, plain(inner)])) : value);

window.reelbase.addPasskey = async (name) => {
  try {
    const options = plain(await post('admin/passkey/new', {}));
    const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
    await post('admin/passkey/add', { name, credential: made.toJSON() });
    return null;
  } catch (error) {
    return error.message || error.name;
  }
};
document.addEventListener('click', async (event) => {
  if (!event.target.closest?.('[data-passkey="sign-in"]')) return;
  let next = 'admin/sign-in?wrong=yes';
  try {
    const options = plain(await post('admin/passkey/challenge', {}));
    const found = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    next = (await post('admin/passkey/session', { credential: found.toJSON() })).location;
  } catch (error) {
    if (error.status === 429) next = 'admin/sign-in?wrong=busy';
  }
  location.assign(next);
});

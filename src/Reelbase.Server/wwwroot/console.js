// Times in the viewer's own zone, and the choice of light or dark; nothing else runs in the browser but the framework.
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

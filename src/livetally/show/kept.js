// A refresh changes what has changed and leaves the rest: what has the focus keeps it, what somebody has marked stays marked.
// Streamlit gives each of its elements for HTML a new text as a whole, which would throw all of it away. Here the new text is
// held against what stands there. Elements with a data-key are the same wherever they stand among their neighbours.
// And a sentence whose numbers get longer or shorter does not move what stands below it up and down by a line.
(() => {
  const whole = Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML");
  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);

  const dress = (now, next) => {
    for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
    for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  };

  const become = (now, next) => {
    const keyed = new Map([...now.children].filter(keyOf).map((child) => [keyOf(child), child]));
    let here = now.firstChild;
    for (const wanted of [...next.childNodes]) {
      const key = keyOf(wanted);
      const found = key ? keyed.get(key) : here && !keyOf(here) ? here : null;
      if (!found || found.nodeName !== wanted.nodeName) {
        now.insertBefore(wanted, here);
        continue;
      }
      if (found === here) here = here.nextSibling;
      else now.insertBefore(found, here);
      if (found.nodeType !== Node.ELEMENT_NODE) {
        if (found.data !== wanted.data) found.data = wanted.data;
        continue;
      }
      dress(found, wanted);
      become(found, wanted);
    }
    while (here) {
      const after = here.nextSibling;
      here.remove();
      here = after;
    }
  };

  const SLACK = "3em"; // for numbers to grow by
  const rooms = new WeakMap();
  const settle = (text) => {
    const { width, height } = rooms.get(text) ?? {};
    const isNew = width !== text.clientWidth;
    text.style.minHeight = "";
    if (isNew) text.style.paddingRight = SLACK;
    const needs = text.offsetHeight;
    text.style.paddingRight = "";
    const room = isNew ? needs : Math.max(needs, Math.min(height, needs + parseFloat(getComputedStyle(text).lineHeight)));
    if (room > text.offsetHeight) text.style.minHeight = `${room}px`;
    rooms.set(text, { width: text.clientWidth, height: room });
  };
  const textsOf = (element) => element.querySelectorAll(".lt-sentence");
  const resized = new ResizeObserver((seen) =>
    requestAnimationFrame(() => {
      for (const { target } of seen) if (rooms.get(target)?.width !== target.clientWidth) settle(target);
    }),
  );

  Object.defineProperty(Element.prototype, "innerHTML", {
    ...whole,
    set(text) {
      if (!this.classList.contains("stHtml") || !this.firstChild || !text) {
        whole.set.call(this, text);
        if (this.classList.contains("stHtml")) for (const placed of textsOf(this)) resized.observe(placed);
        return;
      }
      const next = document.createElement("template");
      next.innerHTML = text;
      const focused = document.activeElement;
      become(this, next.content);
      for (const changed of textsOf(this)) {
        resized.observe(changed);
        settle(changed);
      }
      // What was moved to another place has lost it.
      if (focused !== document.activeElement && this.contains(focused)) focused.focus({ preventScroll: true });
    },
  });
})();

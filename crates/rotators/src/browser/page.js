// Runs in a world of its own beside the page's scripts: it sees the same document, and they see
// none of what it is given.
function (act, args) {
  const tidy = (text) => (text || '').replace(/\s+/g, ' ').trim().replace(/\s*[:*]$/, '').toLowerCase();

  // Every element of the page: through open shadow roots and frames of the same origin.
  function* all(root) {
    for (const element of root.querySelectorAll('*')) {
      yield element;
      if (element.shadowRoot) yield* all(element.shadowRoot);
      if (element.tagName === 'IFRAME') {
        let inner = null;
        try { inner = element.contentDocument; } catch { /* another origin's */ }
        if (inner) yield* all(inner);
      }
    }
  }

  const seen = (element) =>
    element.getClientRects().length > 0 &&
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  function labels(element) {
    const found = [...(element.labels || [])].map((label) => label.textContent);
    const by = element.getAttribute('aria-labelledby');
    if (by) {
      const root = element.getRootNode();
      found.push(by.split(/\s+/).map((id) => root.getElementById(id)?.textContent || '').join(' '));
    }
    found.push(element.getAttribute('aria-label'));
    return found.map(tidy).filter((text) => text);
  }

  const inputs = 'input:not([type=hidden]):not([type=submit]):not([type=button]), textarea, select';
  const roles = {
    button: 'button, input[type=submit], input[type=button], [role=button]',
    link: 'a[href], [role=link]',
    textbox: 'input:not([type]), input[type=text], input[type=email], input[type=tel], ' +
      'input[type=url], input[type=search], input[type=password], textarea, [role=textbox]',
    checkbox: 'input[type=checkbox], [role=checkbox]',
    alert: '[role=alert]',
    status: 'output, [role=status]',
    heading: 'h1, h2, h3, h4, h5, h6, [role=heading]',
    dialog: 'dialog, [role=dialog]',
  };

  function names(element) {
    const own = element.tagName === 'INPUT' ? element.value : element.textContent;
    return [...labels(element), tidy(own)];
  }

  function fits(element, target) {
    if (target.selector !== undefined) return element.matches(target.selector);
    if (target.label !== undefined) {
      return element.matches(inputs) && labels(element).includes(tidy(target.label));
    }
    if (target.role !== undefined) {
      if (!element.matches(roles[target.role])) return false;
      return target.name === undefined || names(element).includes(tidy(target.name));
    }
    // The innermost element that holds the text.
    const holds = (one) => tidy(one.textContent).includes(tidy(target.text));
    return !element.matches('script, style, title, head') && holds(element) && ![...element.children].some(holds);
  }

  // The elements of the first alternative that any element fits.
  function find(targets) {
    for (const target of targets) {
      const found = [...all(document)].filter((element) => fits(element, target) && seen(element));
      if (found.length) return found;
    }
    return [];
  }

  function state() {
    const entry = performance.getEntriesByType('navigation')[0];
    return {
      broken: location.protocol === 'chrome-error:',
      status: entry ? entry.responseStatus : 0,
      ready: document.readyState === 'complete',
      path: location.pathname,
    };
  }

  function one(found) {
    return found.length === 1 ? { count: 1, element: found[0] } : { count: found.length };
  }

  switch (act) {
    case 'state':
      return state();

    // Which of several markers stands on the page.
    case 'look':
      return {
        ...state(),
        found: args.markers.map((marker) =>
          (marker.path === undefined || location.pathname === marker.path) &&
          (marker.targets.length === 0 || find(marker.targets).length > 0)),
      };

    case 'focus': {
      const { count, element } = one(find(args.targets));
      if (!element) return { ...state(), count };
      const origin = element.ownerDocument.location.origin;
      if (!args.origins.includes(origin)) return { ...state(), count, foreign: origin };
      const editable = element.matches(inputs) && !element.matches('select') && !element.readOnly;
      if (!editable || element.disabled) return { ...state(), count: 0 };
      element.scrollIntoView({ block: 'center' });
      element.focus();
      element.select();
      return { ...state(), count, focused: element.getRootNode().activeElement === element };
    }

    // Whether the field took what was typed, all of it.
    case 'typed': {
      const { count, element } = one(find(args.targets));
      if (!element) return { count };
      const value = element.value;
      return { count, same: value === args.text, cut: value.length, prefix: args.text.startsWith(value) };
    }

    case 'point': {
      const { count, element } = one(find(args.targets));
      if (!element) return { ...state(), count };
      if (element.disabled) return { ...state(), count, covered: true };
      element.scrollIntoView({ block: 'center' });
      const box = element.getBoundingClientRect();
      let [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const hit = element.getRootNode().elementFromPoint(x, y);
      const covered = !hit || !(element === hit || element.contains(hit) || hit.contains(element));
      for (let view = element.ownerDocument.defaultView; view.frameElement; view = view.parent) {
        const frame = view.frameElement.getBoundingClientRect();
        x += frame.x + view.frameElement.clientLeft;
        y += frame.y + view.frameElement.clientTop;
      }
      return { ...state(), count, covered, x, y };
    }

    // Blanks every field, every place where a secret stands, and everything that cannot be read.
    case 'mask': {
      const style = document.createElement('style');
      style.textContent = 'iframe, frame, object, embed, canvas, video { visibility: hidden !important }' +
        'input, textarea, select, [contenteditable] { color: transparent !important;' +
        ' -webkit-text-fill-color: transparent !important; background: #ddd !important }' +
        '::before, ::after { content: none !important }';
      document.documentElement.append(style);
      const secret = (text) => args.secrets.some((one) => text.includes(one));
      for (const element of all(document)) {
        if (element.matches('input:not([type=submit]):not([type=button]):not([type=checkbox]):not([type=radio])')
          || element.matches('textarea')) {
          element.type === 'file' || (element.value = '');
          element.removeAttribute('value');
          element.placeholder = '';
        }
        if (element.isContentEditable) element.textContent = '';
        if (element.tagName.includes('-')) element.style.setProperty('visibility', 'hidden', 'important');
        for (const attribute of [...element.attributes]) {
          if (secret(attribute.value)) element.setAttribute(attribute.name, '');
        }
        if (secret(element.textContent || '') && element.children.length === 0) element.textContent = '■■■';
        for (const node of element.childNodes) {
          if (node.nodeType === Node.TEXT_NODE && secret(node.data)) node.data = '■■■';
        }
      }
      // A secret that is spread over several elements.
      if (secret(document.body?.innerText || '')) document.body.replaceChildren();
      return true;
    }

    // Whether the mask still holds after the shot was taken.
    case 'masked': {
      const secret = (text) => args.secrets.some((one) => text.includes(one));
      const filled = [...all(document)].some((element) =>
        element.matches('input:not([type=submit]):not([type=button]):not([type=checkbox]):not([type=radio]), textarea')
        && element.value !== '');
      return !filled && !secret(document.body?.innerText || '');
    }
  }
  throw new Error('no such act');
}

// How people look: initials, hue, avatar.

/** Makes an element: el('p', {class: 'x', text: 'hello'}, child…). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

/** One of the icons of the page, by the drawing of its path. */
export function icon(drawing) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(ns, 'path');
  path.setAttribute('d', drawing);
  svg.append(path);
  return svg;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const firstOf = (word) => [...graphemes.segment(word)][0]?.segment ?? '';
  return (words.length > 1 ? firstOf(words[0]) + firstOf(words.at(-1)) : firstOf(words[0] ?? '?')).toUpperCase();
}

/** The hue follows the name, so that a person keeps it in every room. */
function hue(name) {
  let h = 7;
  for (const c of name.toLowerCase()) h = (h * 31 + c.codePointAt(0)) >>> 0;
  return h % 8;
}

export function avatar(person) {
  return el('span', { class: `avatar hue-${hue(person.name)}`, 'aria-hidden': 'true', title: person.name, text: initials(person.name) });
}

/** Shows who is here: the list, the faces beside the title, the count under it. */
export function showPeople(people, you, places) {
  const sorted = [...people].sort((a, b) => (b.id === you.id) - (a.id === you.id) || a.name.localeCompare(b.name));
  places.list.replaceChildren(...sorted.map((p) => el('li', {},
    avatar(p), el('span', { class: 'person-name', text: p.name }),
    p.id === you.id && el('span', { class: 'note', text: 'you' }))));
  const others = sorted.filter((p) => p.id !== you.id);
  const faces = others.slice(0, 4).map(avatar);
  if (others.length > 4) faces.push(el('span', { class: 'avatar more', text: `+${others.length - 4}` }));
  places.faces.replaceChildren(...faces);
  places.count.textContent = others.length === 0 ? 'Only you are here' : `${people.length} people here`;
}

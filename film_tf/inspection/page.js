'use strict';

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Panels of which a slider shows one.
for (const steps of all('.steps')) {
  const [slider] = all(':scope > .bar input', steps);
  const [back, on] = all(':scope > .bar button', steps);
  const [told] = all(':scope > .bar output', steps);
  const panels = all(':scope > .step', steps);
  const show = () => {
    const chosen = Number(slider.value);
    panels.forEach((panel, i) => panel.classList.toggle('shown', i === chosen));
    told.textContent = panels[chosen].dataset.name;
    slider.setAttribute('aria-valuetext', told.textContent);
    back.disabled = chosen === 0;
    on.disabled = chosen === panels.length - 1;
  };
  steps.move = by => {
    slider.value = Number(slider.value) + by;
    show();
  };
  slider.addEventListener('input', show);
  back.addEventListener('click', () => steps.move(-1));
  on.addEventListener('click', () => steps.move(1));
  steps.classList.add('on');
  show();
}

// Arrow keys move the slider of what is being read: the last that begins above the middle of the window.
document.addEventListener('keydown', event => {
  const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (!by || event.target.matches('input') || event.altKey || event.ctrlKey || event.metaKey) return;
  const above = all('.steps').filter(one => one.offsetParent && one.getBoundingClientRect().top < innerHeight / 2);
  const read = above.filter(one => one.getBoundingClientRect().bottom > 0).pop() || document.querySelector('.steps');
  if (read) {
    read.move(by);
    event.preventDefault();
  }
});

// Two pictures with a line between them; the slider that moves it lies over both, and is not seen.
for (const wipe of all('.wipe')) {
  const slider = wipe.querySelector('input');
  const blink = wipe.parentElement.querySelector('.blink');
  const draw = x => wipe.style.setProperty('--x', `${x}%`);
  let clock;
  slider.addEventListener('input', () => draw(slider.value));
  blink.classList.add('on');
  blink.addEventListener('click', () => {
    const blinks = blink.ariaPressed !== 'true';
    blink.ariaPressed = blinks;
    clearInterval(clock);
    let left = false;
    const turn = () => draw((left = !left) ? 100 : 0);
    if (blinks) {
      turn();
      clock = setInterval(turn, 500);
    } else draw(slider.value);
  });
}

// A click shows a picture as large as the window.
const dialog = document.createElement('dialog');
document.body.append(dialog);
dialog.addEventListener('click', () => dialog.close());
for (const image of all('.picture > img')) {
  image.addEventListener('click', () => {
    const told = document.createElement('p');
    told.textContent = image.alt;
    const large = image.cloneNode();
    large.style.imageRendering = getComputedStyle(image).imageRendering;
    dialog.replaceChildren(large, told);
    dialog.showModal();
  });
}

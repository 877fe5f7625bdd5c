// Measures the contrast of the colours and compares it with the table of docs/design.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = process.env.TENANT_GATEWAY_ROOT;
const COLOUR = /--([\w-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\);/g;
const ROW = /^\| `--([\w-]+)` \| `--([\w-]+)` \| ([\d.]+) \| ([\d.]+) \|$/gm;

/** WCAG 2.2, relative luminance. */
function luminance(colour) {
  const parts = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16) / 255);
  const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

test('documented contrasts are those of the colours and suffice', () => {
  const css = readFileSync(`${root}/playground/src/tokens.css`, 'utf8');
  const colours = new Map([...css.matchAll(COLOUR)].map(([, name, light, dark]) => [name, [light, dark]]));
  const rows = [...readFileSync(`${root}/docs/design.md`, 'utf8').matchAll(ROW)];
  assert.ok(rows.length >= 20, 'the table is there');
  for (const [, colour, ground, ...documented] of rows) {
    const enough = colour === 'field-edge' ? 3 : 4.5;
    documented.forEach((figure, theme) => {
      const measured = contrast(colours.get(colour)[theme], colours.get(ground)[theme]);
      assert.equal(measured.toFixed(2), figure, `--${colour} on --${ground}`);
      assert.ok(measured >= enough, `--${colour} on --${ground}: ${measured} < ${enough}`);
    });
  }
});

test('pages define no colours of their own', () => {
  const css = readFileSync(`${root}/src/http/pages/assets/pages.css`, 'utf8');
  assert.equal(css.match(/#[\da-f]{3,8}\b|rgba?\(|hsla?\(/g), null);
});

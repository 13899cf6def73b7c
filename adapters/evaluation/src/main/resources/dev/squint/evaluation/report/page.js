'use strict';
(() => {
  const summary = JSON.parse(document.getElementById('data').textContent);
  const metric = summary.run.metric;
  // CIDEr is no share: it is shown times 100 as papers print it, without a percent sign.
  const scale = 100;
  const unit = summary.run.exceedsOne ? '' : ' %';
  const counted = Boolean(summary.discordant) || summary.cells.some(c => c.against && c.against.p !== undefined);
  const BASE = ['none', 'random', 'uniform', 'resize'];
  const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b58900', '#56b4e9', '#7b3fa0', '#a0522d', '#2aa198', '#e6550d'];
  const MARKS = ['circle', 'square', 'triangle', 'diamond'];
  const DASHES = ['', '7 3', '2 3'];
  const SVG = 'http://www.w3.org/2000/svg';
  const cells = summary.cells.filter(c => c.cost && c.scores[metric]);
  const whole = cells.find(c => c.id === 'none');
  const names = [...new Set(cells.map(c => c.series))];
  const style = new Map();
  let next = 0;
  for (const name of names) {
    const place = BASE.indexOf(name);
    style.set(name, place >= 0
      ? {color: 'var(--plain)', mark: MARKS[place], dash: ['', '1 3', '5 3', '9 3'][place], width: 2}
      : {color: COLORS[next % COLORS.length], mark: MARKS[Math.floor(next / COLORS.length) % 4], dash: DASHES[Math.floor(next++ / COLORS.length) % 3], width: 2});
  }

  const number = (value, digits = 1) => value.toLocaleString('en', {minimumFractionDigits: digits, maximumFractionDigits: digits});
  const score = value => number(scale * value);
  const element = (name, attributes, parent, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };
  const html = (name, parent, text, attributes = {}) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };

  const meanOf = (group, pick) => group.reduce((sum, c) => sum + pick(c), 0) / group.length;
  const together = group => `${group[0].id.replace(/ seed \d+$/, '')}, ${group.length} seeds`;
  // The score of one cell with its interval, of several draws their mean and range.
  const overDraws = scores => scores.length === 1 ? {...scores[0], draws: 1} : {
    value: meanOf(scores, s => s.value), correct: meanOf(scores, s => s.correct), total: scores[0].total, draws: scores.length,
    low: Math.min(...scores.map(s => s.value)), high: Math.max(...scores.map(s => s.value))
  };

  // A setting's name breaks after a colon or comma, not within a number.
  const named = (row, id) => {
    const head = html('th', row, undefined, {scope: 'row'});
    for (const part of id.split(/(?<=[:,/])/)) head.append(part, document.createElement('wbr'));
    return head;
  };

  // One point per budget: draws of random selection are averaged.
  const merged = [];
  for (const name of names) {
    const own = cells.filter(c => c.series === name);
    const groups = new Map();
    for (const cell of own) {
      const key = name === 'random' ? String(cell.keep) : cell.id;
      groups.set(key, [...(groups.get(key) || []), cell]);
    }
    for (const group of groups.values()) {
      const mean = pick => meanOf(group, pick);
      const own = overDraws(group.map(c => c.scores[metric]));
      merged.push({
        series: name, id: group.length > 1 ? together(group) : group[0].id,
        keep: group[0].keep, cell: group[0], value: own.value, low: own.low, high: own.high, spread: own.draws > 1,
        flopsLeft: mean(c => c.cost.flopsLeft), prefillLeft: mean(c => c.cost.prefillLeft), kvLeft: mean(c => c.cost.kvLeft),
        tokens: mean(c => c.cost.averageTokens),
        time: group.every(c => c.measured) ? mean(c => 1 / c.measured.totalSpeedup.value) : undefined,
        measured: group.every(c => c.measured) ? {
          speedup: mean(c => c.measured.speedup.value), predicted: mean(c => c.measured.predicted),
          low: Math.min(...group.map(c => c.measured.speedup.low)), high: Math.max(...group.map(c => c.measured.speedup.high))
        } : undefined
      });
    }
  }

  const strength = name => {
    const own = merged.filter(p => p.series === name);
    return own.reduce((sum, p) => sum + p.value + 0.3 * (1 - Math.min(1, p.flopsLeft)), 0) / own.length;
  };
  const best = names.filter(n => !BASE.includes(n)).sort((a, b) => strength(b) - strength(a)).slice(0, 8);
  const shown = new Set([...BASE, ...best]);

  const tip = document.getElementById('tip');
  const tell = (target, text) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = target.getBoundingClientRect();
    const width = tip.offsetWidth;
    const left = Math.max(8, Math.min(document.documentElement.clientWidth - width - 8, box.left + box.width / 2 - width / 2));
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = left + window.scrollX + 'px';
    tip.style.top = (above > 0 ? above : box.bottom + 8) + window.scrollY + 'px';
  };
  const hush = () => { tip.hidden = true; };
  document.addEventListener('keydown', e => { if (e.key === 'Escape') hush(); });

  const mark = (kind, x, y, r) => ({
    circle: ['circle', {cx: x, cy: y, r}],
    square: ['rect', {x: x - r * .9, y: y - r * .9, width: 1.8 * r, height: 1.8 * r}],
    triangle: ['path', {d: `M${x} ${y - 1.2 * r}L${x + 1.1 * r} ${y + .8 * r}L${x - 1.1 * r} ${y + .8 * r}Z`}],
    diamond: ['path', {d: `M${x} ${y - 1.3 * r}L${x + 1.2 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.2 * r} ${y}Z`}]
  })[kind];

  const ticks = (low, high, wanted) => {
    const raw = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map(f => f * power).find(s => s >= raw * .999);
    const made = [];
    for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + step * 1e-6; t += step) made.push(Math.abs(t) < step / 1e6 ? 0 : t);
    return made;
  };
  const tickText = (value, all) => {
    const step = all.length > 1 ? all[1] - all[0] : 1;
    const digits = step >= 1 && Number.isInteger(step) ? 0 : step >= .1 && Math.abs(step * 10 - Math.round(step * 10)) < 1e-9 ? 1 : 2;
    return number(value, digits);
  };

  // A frame with axes; gives the functions from figures to places.
  const frame = (holder, label, xs, ys, xName, yName) => {
    const width = Math.max(300, holder.clientWidth);
    const height = Math.max(280, Math.min(520, width * .6));
    const margin = {left: 52, right: 16, top: 28, bottom: 44};
    holder.replaceChildren();
    const svg = element('svg', {viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': label}, holder);
    const x = v => margin.left + (v - xs[0]) / (xs[1] - xs[0]) * (width - margin.left - margin.right);
    const y = v => height - margin.bottom - (v - ys[0]) / (ys[1] - ys[0]) * (height - margin.top - margin.bottom);
    const across = ticks(xs[0], xs[1], width < 500 ? 5 : 9);
    for (const t of across) {
      element('line', {class: 'grid', x1: x(t), x2: x(t), y1: y(ys[0]), y2: y(ys[1])}, svg);
      element('text', {class: 'tick', x: x(t), y: height - margin.bottom + 16, 'text-anchor': 'middle'}, svg, tickText(t, across));
    }
    const up = ticks(ys[0], ys[1], height < 330 ? 5 : 8);
    for (const t of up) {
      element('line', {class: 'grid', x1: x(xs[0]), x2: x(xs[1]), y1: y(t), y2: y(t)}, svg);
      element('text', {class: 'tick', x: margin.left - 7, y: y(t) + 4, 'text-anchor': 'end'}, svg, tickText(t, up));
    }
    element('rect', {class: 'axis box', x: margin.left, y: margin.top, width: width - margin.left - margin.right, height: height - margin.top - margin.bottom, fill: 'none'}, svg);
    element('text', {class: 'title', x: margin.left + (width - margin.left - margin.right) / 2, y: height - 8, 'text-anchor': 'middle'}, svg, xName);
    element('text', {class: 'title', x: margin.left, y: 17}, svg, yName);
    return {svg, x, y};
  };

  const point = (svg, place, look, label, detail) => {
    const [name, shape] = mark(look.mark, place[0], place[1], 5);
    const made = element(name, {...shape, class: 'point', fill: look.color, tabindex: 0, role: 'img', 'aria-label': label}, svg);
    for (const on of ['pointerenter', 'focus', 'click']) made.addEventListener(on, () => tell(made, detail));
    for (const off of ['pointerleave', 'blur']) made.addEventListener(off, hush);
    return made;
  };

  const costName = document.getElementById('cost');
  if (!merged.some(p => p.time !== undefined)) costName.querySelector('[value=time]').remove();

  const drawPareto = () => {
    const key = costName.value;
    const share = key !== 'tokens';
    const factor = share ? 100 : 1;
    const points = merged.filter(p => shown.has(p.series) && p[key] !== undefined);
    const highest = Math.max(share ? 1 : 0, ...points.map(p => p[key])) * factor;
    const lowest = Math.min(...points.map(p => p.low), whole.scores[metric].low);
    const top = Math.max(...points.map(p => p.high), whole.scores[metric].high);
    const pad = (top - lowest || 1) * .05;
    const ys = [Math.max(0, lowest - pad) * scale, Math.min(summary.run.exceedsOne ? Infinity : 1.005, top + pad) * scale];
    const {svg, x, y} = frame(document.getElementById('pareto'), 'Accuracy against cost', [0, highest * 1.03], ys,
      costName.selectedOptions[0].textContent + (share ? ', %' : ''), metric + unit);
    element('line', {class: 'whole', x1: x(0), x2: x(highest * 1.03), y1: y(whole.scores[metric].value * scale), y2: y(whole.scores[metric].value * scale)}, svg);
    for (const name of names.filter(n => shown.has(n))) {
      const look = style.get(name);
      const own = points.filter(p => p.series === name).sort((a, b) => a[key] - b[key]);
      const group = element('g', {class: 'series', 'data-series': name}, svg);
      if (own.length > 1 && own[0].spread) {
        const edge = own.map(p => `${x(p[key] * factor)} ${y(p.high * scale)}`).concat([...own].reverse().map(p => `${x(p[key] * factor)} ${y(p.low * scale)}`));
        element('path', {class: 'band', d: 'M' + edge.join('L') + 'Z', fill: look.color}, group);
      }
      if (own.length > 1) {
        element('path', {class: 'line', d: 'M' + own.map(p => `${x(p[key] * factor)} ${y(p.value * scale)}`).join('L'), stroke: look.color, 'stroke-dasharray': look.dash}, group);
      }
      for (const p of own) {
        const px = x(p[key] * factor);
        element('line', {class: 'bar', x1: px, x2: px, y1: y(p.low * scale), y2: y(p.high * scale), stroke: look.color}, group);
        const figures = `${p.id}\n${metric} ${score(p.value)}${unit} (${p.spread ? 'seeds' : '95 %'}: ${score(p.low)} to ${score(p.high)})\n`
          + `${number(100 * p.flopsLeft)} % of all FLOPs, ${number(100 * p.prefillLeft)} % of prefill\n${number(p.tokens)} visual tokens on average`;
        point(group, [px, y(p.value * scale)], look, figures.replaceAll('\n', ', '), figures);
      }
    }
  };

  const drawLegend = () => {
    const legend = document.getElementById('legend');
    legend.replaceChildren();
    for (const name of names) {
      const look = style.get(name);
      const button = html('button', legend, undefined, {type: 'button', 'aria-pressed': shown.has(name), 'data-series': name});
      const swatch = element('svg', {viewBox: '0 0 22 12', 'aria-hidden': 'true'}, button);
      element('line', {x1: 0, x2: 22, y1: 6, y2: 6, stroke: look.color, 'stroke-width': 2, 'stroke-dasharray': look.dash}, swatch);
      const [kind, shape] = mark(look.mark, 11, 6, 4);
      element(kind, {...shape, fill: look.color}, swatch);
      html('span', button, name);
      button.addEventListener('click', () => {
        if (!shown.delete(name)) shown.add(name);
        button.setAttribute('aria-pressed', shown.has(name));
        drawPareto();
        drawSpeed();
      });
    }
  };

  const drawSpeed = () => {
    const points = merged.filter(p => p.measured && shown.has(p.series) && p.series !== 'none');
    if (!merged.some(p => p.measured)) {
      document.getElementById('speed-section').hidden = true;
      return;
    }
    const right = Math.max(1.2, ...points.map(p => p.measured.predicted)) * 1.05;
    const top = Math.max(1.2, ...points.map(p => p.measured.high)) * 1.05;
    const met = Math.min(right, top);
    const least = Math.min(1, ...points.map(p => p.measured.low)) * .95;
    const {svg, x, y} = frame(document.getElementById('speed'), 'Measured against predicted speedup', [least, right], [least, top],
      'predicted by FLOPs, times', 'measured, times');
    element('line', {class: 'whole', x1: x(least), y1: y(least), x2: x(met), y2: y(met)}, svg);
    for (const name of names.filter(n => shown.has(n))) {
      const look = style.get(name);
      const group = element('g', {class: 'series', 'data-series': name}, svg);
      for (const p of points.filter(q => q.series === name)) {
        const px = x(p.measured.predicted);
        element('line', {class: 'bar', x1: px, x2: px, y1: y(p.measured.low), y2: y(p.measured.high), stroke: look.color}, group);
        const figures = `${p.id}\n${number(p.measured.speedup, 2)}x measured (95 %: ${number(p.measured.low, 2)} to ${number(p.measured.high, 2)}), ${number(p.measured.predicted, 2)}x predicted = ${number(p.measured.speedup / p.measured.predicted, 2)}`;
        point(group, [px, y(p.measured.speedup)], look, figures.replaceAll('\n', ', '), figures);
      }
    }
  };

  const heat = share => {
    const from = [222, 119, 105];
    const middle = [247, 232, 186];
    const to = [141, 199, 156];
    const [a, b, t] = share < .5 ? [from, middle, share * 2] : [middle, to, share * 2 - 1];
    return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * t)).join(' ')})`;
  };
  const drawTypes = () => {
    const types = [...new Set(cells.flatMap(c => Object.keys(c.byType)))];
    const given = [...new Set(cells.filter(c => c.keep !== undefined && c.keep !== null).map(c => c.keep))].sort((a, b) => b - a);
    const keeps = given.some(keep => keep < 1) ? given.filter(keep => keep < 1) : given;
    const section = document.getElementById('types-section');
    if (!types.length) {
      section.hidden = true;
      return;
    }
    const select = document.getElementById('keep');
    if (!select.options.length) {
      for (const keep of keeps) html('option', select, number(100 * keep, keep * 100 % 1 ? 1 : 0) + ' %', {value: keep});
      if (keeps.length) select.value = keeps[Math.floor(keeps.length / 2)];
      select.addEventListener('change', drawTypes);
    }
    const keep = Number(select.value);
    const rows = names.flatMap(name => {
      const own = cells.filter(c => c.series === name);
      const draws = own.filter(c => c.keep === keep);
      const group = draws.length ? draws : own.filter(c => c.keep === undefined || c.keep === null).slice(0, 1);
      return group.length ? [{
        id: group.length > 1 ? together(group) : group[0].id,
        value: meanOf(group, c => c.scores[metric].value),
        byType: Object.fromEntries(types.filter(t => group[0].byType[t]).map(t => [t, overDraws(group.map(c => c.byType[t]))]))
      }] : [];
    });
    const table = document.getElementById('types');
    table.replaceChildren();
    const head = html('tr', html('thead', table));
    const asked = type => (whole.byType[type] || {total: 0}).total;
    for (const name of ['setting', `all (${summary.run.questions})`, ...types.map(t => `${t} (${asked(t)})`)]) html('th', head, name, {scope: 'col'});
    const body = html('tbody', table);
    const limits = new Map(types.map(t => [t, [Math.min(...rows.map(c => c.byType[t] ? c.byType[t].value : 1)), whole.byType[t] ? whole.byType[t].value : 1]]));
    for (const cell of rows) {
      const row = html('tr', body);
      named(row, cell.id);
      html('td', row, score(cell.value));
      for (const type of types) {
        const own = cell.byType[type];
        const right = own && (counted ? `${number(own.correct, Number.isInteger(own.correct) ? 0 : 1)} of ${own.total}` : `${own.total} questions`);
        const figures = own && `${right}, ${own.draws > 1 ? own.draws + ' seeds' : '95 %'}: ${score(own.low)} to ${score(own.high)}`;
        const shownCell = html('td', row, own ? score(own.value) : '', {class: own ? 'heat' : 'none', title: figures || ''});
        if (own) {
          const [low, high] = limits.get(type);
          shownCell.style.backgroundColor = heat(high > low ? Math.max(0, Math.min(1, (own.value - low) / (high - low))) : 1);
        }
      }
    }
  };

  const load = (cell, callers) => {
    const own = cell.measured && cell.measured.load.find(l => l.callers === callers);
    return own ? own.answersPerSecond : undefined;
  };
  const range = (value, estimate, scale, digits) => estimate.low === estimate.high ? number(value, digits)
    : `${number(value, digits)} (${number(scale * estimate.low, digits)} to ${number(scale * estimate.high, digits)})`;
  const COLUMNS = [
    ['setting', c => c.id, v => v],
    [metric + unit, c => c.scores[metric].value, score],
    ['95 % interval', c => c.scores[metric].low, (v, c) => `${score(v)} to ${score(c.scores[metric].high)}`],
    ['correct', c => counted ? c.scores[metric].correct : undefined, (v, c) => `${number(v, Number.isInteger(v) ? 0 : 1)}/${c.scores[metric].total}`],
    ...Object.keys(whole.scores).filter(m => m !== metric).map(m => [m + (m === 'cider' ? '' : ' %'), c => c.scores[m] && c.scores[m].value, score]),
    ['points lost', c => c.against && 100 * c.against.drop.value, (v, c) => range(v, c.against.drop, 100, 2)],
    ['relative %', c => c.against && c.against.relative && 100 * c.against.relative.value, (v, c) => range(v, c.against.relative, 100, 1)],
    ['loyalty %', c => c.against && 100 * c.against.loyalty.value, v => number(v)],
    ['McNemar p', c => c.against && c.against.p, v => v < .001 ? '<0.001' : number(v, 3)],
    ['FLOPs %', c => 100 * c.cost.flopsLeft, v => number(v)],
    ['prefill FLOPs %', c => 100 * c.cost.prefillLeft, v => number(v)],
    ...Object.keys(whole.cost.paperLeft).map(p => [p + "'s FLOPs %", c => 100 * c.cost.paperLeft[p], v => number(v)]),
    ['KV cache %', c => 100 * c.cost.kvLeft, v => number(v)],
    ['tokens kept', c => c.cost.keptTokens, (v, c) => number(v) + (c.cost.leastTokens < c.cost.mostTokens ? ` (${c.cost.leastTokens} to ${c.cost.mostTokens})` : '')],
    ['tokens, average', c => c.cost.averageTokens, v => number(v)],
    ['vision ms', c => c.measured && c.measured.visionMillis.median, v => number(v, 2)],
    ['prefill ms', c => c.measured && c.measured.prefillMillis.median, (v, c) => `${number(v, 2)} (p95 ${number(c.measured.prefillMillis.p95, 2)})`],
    ['selection ms', c => c.measured && c.measured.selectionMillis.median, (v, c) => `${number(v, 2)} (p95 ${number(c.measured.selectionMillis.p95, 2)})`],
    ['decode ms a token', c => c.measured && c.measured.decodeMillis.median, (v, c) => `${number(v, 2)} (p95 ${number(c.measured.decodeMillis.p95, 2)})`],
    ['file to answer ms', c => c.measured && c.measured.totalMillis.median, (v, c) => `${number(v, 2)} (p95 ${number(c.measured.totalMillis.p95, 2)})`],
    ['prefill speedup', c => c.measured && c.measured.speedup.value, (v, c) => range(v, c.measured.speedup, 1, 2)],
    ['measured / predicted', c => c.measured && c.measured.speedup.value / c.measured.predicted, v => number(v, 2)],
    ['answers/s, 1 caller', c => load(c, 1), v => number(v)],
    ['4 callers', c => load(c, 4), v => number(v)],
    ['16 callers', c => load(c, 16), v => number(v)],
    ['peak MB', c => c.measured && c.measured.peakBytes && c.measured.peakBytes / 1e6, v => number(v, 0)],
    ['joules', c => c.measured && c.measured.joules, v => number(v, 2)],
    ['errors', c => c.errors, v => String(v)]
  ].filter(([, value]) => cells.some(c => value(c) !== undefined && value(c) !== null));
  let sorted = [-1, 1];
  const drawCells = () => {
    const table = document.getElementById('cells');
    table.replaceChildren();
    const head = html('tr', html('thead', table));
    COLUMNS.forEach(([name], i) => {
      const th = html('th', head, name, {scope: 'col', tabindex: 0, 'data-sort': i, 'aria-sort': sorted[0] === i ? (sorted[1] > 0 ? 'ascending' : 'descending') : 'none'});
      const sort = () => {
        sorted = [i, sorted[0] === i ? -sorted[1] : i === 0 ? 1 : -1];
        drawCells();
        document.querySelector(`#cells [data-sort="${i}"]`).focus({preventScroll: true});
      };
      th.addEventListener('click', sort);
      th.addEventListener('keydown', e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); sort(); } });
    });
    const body = html('tbody', table);
    const order = [...cells];
    if (sorted[0] >= 0) {
      const value = COLUMNS[sorted[0]][1];
      order.sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === undefined || x === null) return 1;
        if (y === undefined || y === null) return -1;
        return sorted[1] * (typeof x === 'string' ? x.localeCompare(y, 'en', {numeric: true}) : x - y);
      });
    }
    for (const cell of order) {
      const row = html('tr', body);
      COLUMNS.forEach(([, value, text], i) => {
        const own = value(cell);
        const empty = own === undefined || own === null;
        if (i === 0) named(row, text(own, cell));
        else html('td', row, empty ? '\u2013' : text(own, cell), {class: empty ? 'none' : ''});
      });
    }
  };

  // McNemar's exact test of the questions that only one of two settings gets right.
  const mcNemar = (a, b) => {
    let [log, tail] = [-(a + b) * Math.log(2), 0];
    for (let heads = 0; heads <= Math.min(a, b); heads++) {
      tail += Math.exp(log);
      log += Math.log((a + b - heads) / (heads + 1));
    }
    return Math.min(1, 2 * tail);
  };
  const pairs = summary.discordant;
  const drawPair = () => {
    const [first, second] = ['first', 'second'].map(id => document.getElementById(id).selectedIndex);
    const [a, b] = [pairs.wins[first][second], pairs.wins[second][first]];
    const [one, other] = [first, second].map(i => cells.find(c => c.id === pairs.cells[i]));
    const total = one.scores[metric].total;
    const table = document.getElementById('pair');
    table.replaceChildren();
    const head = html('tr', html('thead', table));
    for (const name of ['setting', metric + unit, 'correct', 'right where the other is wrong', 'FLOPs %']) html('th', head, name, {scope: 'col'});
    const body = html('tbody', table);
    for (const [cell, wins] of [[one, a], [other, b]]) {
      const row = html('tr', body);
      named(row, cell.id);
      const right = cell.scores[metric].correct;
      for (const text of [score(cell.scores[metric].value), `${number(right, Number.isInteger(right) ? 0 : 1)}/${total}`, String(wins), number(100 * cell.cost.flopsLeft)]) html('td', row, text);
    }
    const p = mcNemar(a, b);
    document.getElementById('verdict').textContent = a + b === 0 ? 'The two get the same questions right.'
      : `${a + b} of ${total} questions tell the two apart: McNemar's exact p ${p < .001 ? '< 0.001' : '= ' + number(p, 3)}. `
        + (p < .05 ? `${(a > b ? one : other).id} is right more often.` : 'They may as well be equally good.');
  };
  const setPair = () => {
    if (!pairs || pairs.cells.length < 2) {
      document.getElementById('pair-section').hidden = true;
      return;
    }
    const methods = merged.filter(p => !BASE.includes(p.series)).sort((a, b) => strength(b.series) - strength(a.series) || b.value - a.value);
    const chosen = [methods.length ? methods[0].cell.id : pairs.cells[1], pairs.cells[0]];
    ['first', 'second'].forEach((id, i) => {
      const select = document.getElementById(id);
      for (const cell of pairs.cells) html('option', select, cell);
      select.selectedIndex = pairs.cells.indexOf(chosen[i]);
      select.addEventListener('change', drawPair);
    });
    drawPair();
  };

  const drawRandom = () => {
    if (!summary.spreads.length) {
      document.getElementById('random-section').hidden = true;
      return;
    }
    const table = document.getElementById('random');
    const head = html('tr', html('thead', table));
    for (const name of ['kept', 'seeds', 'mean' + unit, 'lowest', 'highest', 'standard deviation']) html('th', head, name, {scope: 'col'});
    const body = html('tbody', table);
    for (const s of summary.spreads) {
      const row = html('tr', body);
      html('th', row, number(100 * s.keep, s.keep * 100 % 1 ? 1 : 0) + ' %', {scope: 'row'});
      for (const text of [s.seeds, score(s.mean), score(s.least), score(s.most), number(scale * s.deviation, 2)]) html('td', row, text);
    }
  };

  const redraw = () => { drawPareto(); drawSpeed(); };
  costName.addEventListener('change', drawPareto);
  document.getElementById('all').addEventListener('click', () => { names.forEach(n => shown.add(n)); drawLegend(); redraw(); });
  document.getElementById('few').addEventListener('click', () => { shown.clear(); [...BASE, ...best].forEach(n => shown.add(n)); drawLegend(); redraw(); });
  if (!document.querySelector('.gallery figure')) document.getElementById('gallery-section').hidden = true;
  drawLegend();
  redraw();
  drawTypes();
  drawCells();
  setPair();
  drawRandom();
  let width = window.innerWidth;
  window.addEventListener('resize', () => { if (window.innerWidth !== width) { width = window.innerWidth; hush(); redraw(); } });
})();

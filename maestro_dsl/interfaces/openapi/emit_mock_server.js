'use strict';
// A mock of an HTTP API: the decision table below is data, the rules after it are the same for every API.
// Start:  npm install && node <this file>      Settings: PORT (4010), HOST (127.0.0.1), MOCK_LOG=0 for silence or
// MOCK_LOG=FILE, MOCK_LATENCY=50-200 (milliseconds), MOCK_ERROR_RATE=0.1, MOCK_TIMEOUT_RATE=0.01,
// MOCK_CREDENTIALS=one,two (the only ones that are taken; * for whatever is there).
// Memory lasts until the process ends. POST /__admin/reset forgets it, GET /__admin/export shows it,
// POST /__admin/seed fills it, GET /__admin/requests lists the last requests; all for this machine only.

// ---- JSON as the mock reads and writes it: integers that a double cannot hold stay exact, as BigInt ----
const BIG = `\u0000${require('node:crypto').randomBytes(9).toString('hex')}:`;
const JSON_TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MOST_DIGITS = 4300;
function whole(text) {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}
function readJson(text) {
  if (!/\d{16}|\d[eE]\+?\d{3}/.test(text)) return JSON.parse(text);
  const marked = text.replace(JSON_TOKEN, (token) => {
    if (!/^-?[1-9]\d{15,}$/.test(token) || typeof whole(token) === 'number') return token;
    if (token.length > MOST_DIGITS) throw new SyntaxError('a number is too long');
    return JSON.stringify(BIG + token);
  });
  return JSON.parse(marked, (_, value) => {
    if (value === Infinity || value === -Infinity) throw new SyntaxError('a number is too large');
    return typeof value === 'string' && value.startsWith(BIG) ? BigInt(value.slice(BIG.length)) : value;
  });
}
const WRITTEN = new RegExp(`"${JSON.stringify(BIG).slice(1, -1).replaceAll('\\', '\\\\')}(-?\\d+)"`, 'g');
function writeJson(value) {
  let found = false;
  const text = JSON.stringify(value, (_, item) => {
    if (typeof item !== 'bigint') return item;
    found = true;
    return BIG + item;
  });
  return found ? text.replace(WRITTEN, '$1') : text;
}

const TABLE = readJson("__MAESTRO_TABLE__");

const VIOLATIONS_HEADER = 'x-maestro-violations';
const REASONS_HEADER = 'sl-violations'; // as clients of Prism read it
const NO_BODY = new Set([204, 205, 304]);
const TOTALS = ['total', 'total_count', 'totalCount', 'count'];
const LIMITS = ['limit', 'per_page', 'page_size', 'pageSize', 'perPage', 'size', 'first', '$top'];
const OFFSETS = ['offset', 'skip', '$skip'];
const PAGES = ['page', 'page_number', 'pageNumber'];
const CURSORS = [
  'cursor', 'after', 'starting_after', 'startingAfter', 'page_token', 'pageToken', 'next_token',
  'nextToken', 'marker', 'continuation_token', 'continuationToken', 'next_cursor', 'nextCursor',
];
const PAGING = new Set([...LIMITS, ...OFFSETS, ...PAGES, ...CURSORS]);
const MORE = ['has_more', 'hasMore', 'has_next', 'hasNext', 'has_next_page', 'hasNextPage'];
const NEXT = [
  'next_cursor', 'nextCursor', 'next_page_token', 'nextPageToken', 'next_token', 'nextToken',
  'next_marker', 'nextMarker', 'continuation_token', 'continuationToken',
];
const NEXT_ADDRESS = ['next', 'next_page', 'nextPage', 'next_url', 'nextUrl'];
const WORDED = ['message', 'detail', 'error_description', 'error', 'title', 'description'];
const STATUS_NAMES = ['status', 'statusCode', 'status_code', 'code'];
const RESERVED = /[/?#[\]@!$&'()*+,;=]/;
const DELIMITERS = { spaceDelimited: ' ', pipeDelimited: '|' };
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization']);
const CLIENT_HEADERS = new Set(['accept-encoding', 'connection', 'content-length', 'host', 'user-agent']);
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';
const MAX_MESSAGES = 3;
const MAX_BODY_BYTES = 16000000;
const CORS_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const PHRASES = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable',
  415: 'Unsupported Media Type', 422: 'Unprocessable Content',
  500: 'Internal Server Error', 504: 'Gateway Timeout',
};

// ---- small helpers: names of an API are only ever keys of own properties ----
const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
const get = (object, key) => (object !== null && typeof object === 'object' && has(object, key) ? object[key] : undefined);
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isWhole = (value) => typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
const copy = (value) => (value === undefined ? undefined : readJson(writeJson(value)));
function put(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  return object;
}
function merged(...objects) {
  const result = {};
  for (const object of objects) for (const key of Object.keys(object)) put(result, key, object[key]);
  return result;
}
function only(object, test) {
  const result = {};
  for (const key of Object.keys(object)) if (test(key, object[key])) put(result, key, object[key]);
  return result;
}
function same(a, b) {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => has(b, key) && same(a[key], b[key]));
}

// ---- chance: FNV-1a, mixed as murmur3 ends ----
function hash32(text) {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b) >>> 0;
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35) >>> 0;
  return (value ^ (value >>> 16)) >>> 0;
}
function uuid(text) {
  const digits = [0, 1, 2, 3].map((part) => hash32(`${text}#${part}`).toString(16).padStart(8, '0')).join('');
  const variant = '89ab'[parseInt(digits[16], 16) % 4];
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
}

// ---- JSON Schema 2020-12, as far as the table uses it; a pattern that JavaScript cannot run is skipped ----
const FORMATS = {
  'date-time': (s) => /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(s) && realDate(s.slice(0, 10)),
  date: (s) => /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(s) && realDate(s),
  time: (s) => /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(s),
  email: (s) => /^[^\s@"(),:;<>[\]\\]+@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(s),
  uuid: (s) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(s),
  uri: (s) => /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]*$/.test(s),
  ipv4: (s) => /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.|$)){4}$/.test(s) && !s.endsWith('.'),
  ipv6: (s) => require('node:net').isIPv6(s),
  hostname: (s) => s.length < 254 && /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(s),
};
function realDate(text) {
  const [year, month, day] = text.split('-').map(Number);
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
const expressions = new Map();
function expression(source) {
  if (!expressions.has(source)) {
    let made = null;
    for (const flags of ['u', '']) {
      try { made = new RegExp(source, flags); break; } catch { /* the next flags, or none */ }
    }
    if (made === null) console.error(`pattern is skipped, JavaScript cannot read it: ${JSON.stringify(source)}`);
    expressions.set(source, made);
  }
  return expressions.get(source);
}
// A pattern is tried only on texts that it cannot take seconds for; longer ones pass, and that is said once.
const passed = new Set();
function matches(source, text) {
  const limit = get(TABLE.patterns, source) ?? 0;
  if (text.length > limit) {
    if (!passed.has(source)) console.error(`pattern is skipped for texts longer than ${limit}, it could take too long: ${JSON.stringify(source)}`);
    passed.add(source);
    return true;
  }
  const made = expression(source);
  return made === null || made.test(text);
}
const TYPES = {
  object: isObject, array: Array.isArray, string: (v) => typeof v === 'string', null: (v) => v === null,
  boolean: (v) => typeof v === 'boolean', number: (v) => typeof v === 'number' || typeof v === 'bigint', integer: isWhole,
};
const length = (text) => [...text].length;

// Returns the first few problems as texts; an empty list means valid. `seen` stops endless references.
function check(schema, value, defs, path = '', depth = 0) {
  if (schema === true || schema === undefined || schema === null) return [];
  if (schema === false) return [`${path || 'the value'}: nothing is allowed here`];
  if (depth > 200) return [];
  const found = [];
  const no = (message) => found.push(`${path || 'the value'}: ${message}`);
  const inner = (part, item, where = path) => check(part, item, defs, where, depth + 1);
  const ok = (part, item) => inner(part, item).length === 0;
  if (schema.$ref !== undefined) found.push(...inner(defs[schema.$ref.slice(8)], value));
  if (schema.type !== undefined) {
    const kinds = Array.isArray(schema.type) ? schema.type : [schema.type];
    if (!kinds.some((kind) => TYPES[kind](value))) no(`is not of type ${kinds.join(', ')}`);
  }
  if (schema.enum !== undefined && !schema.enum.some((item) => same(item, value))) no('is not one of the allowed values');
  if (has(schema, 'const') && !same(schema.const, value)) no('is not the one allowed value');
  if (typeof value === 'string') checkText(schema, value, no);
  if (typeof value === 'number' || typeof value === 'bigint') checkNumber(schema, value, no);
  if (Array.isArray(value)) checkArray(schema, value, no, found, inner, path);
  if (isObject(value)) checkObject(schema, value, no, found, inner, path);
  for (const part of schema.allOf ?? []) found.push(...inner(part, value));
  if (schema.anyOf && !schema.anyOf.some((part) => ok(part, value))) no('fits none of the alternatives');
  if (schema.oneOf) {
    const count = schema.oneOf.filter((part) => ok(part, value)).length;
    if (count !== 1) no(count ? 'fits more than one of the alternatives' : 'fits none of the alternatives');
  }
  if (schema.not !== undefined && ok(schema.not, value)) no('is what is not allowed');
  if (schema.if !== undefined) {
    const branch = ok(schema.if, value) ? schema.then : schema.else;
    if (branch !== undefined) found.push(...inner(branch, value));
  }
  return found;
}
function checkText(schema, value, no) {
  if (schema.minLength !== undefined && length(value) < schema.minLength) no(`is shorter than ${schema.minLength}`);
  if (schema.maxLength !== undefined && length(value) > schema.maxLength) no(`is longer than ${schema.maxLength}`);
  if (schema.pattern !== undefined && !matches(schema.pattern, value)) no(`does not match ${schema.pattern}`);
  if (schema.format !== undefined && has(FORMATS, schema.format) && !FORMATS[schema.format](value)) no(`is no ${schema.format}`);
}
function checkNumber(schema, value, no) {
  if (schema.minimum !== undefined && value < schema.minimum) no(`is less than ${schema.minimum}`);
  if (schema.maximum !== undefined && value > schema.maximum) no(`is greater than ${schema.maximum}`);
  if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum) no(`is not above ${schema.exclusiveMinimum}`);
  if (schema.exclusiveMaximum !== undefined && value >= schema.exclusiveMaximum) no(`is not below ${schema.exclusiveMaximum}`);
  if (schema.multipleOf !== undefined) {
    const times = Number(value) / Number(schema.multipleOf);
    if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times))) no(`is no multiple of ${schema.multipleOf}`);
  }
}
function checkArray(schema, value, no, found, inner, path) {
  if (schema.minItems !== undefined && value.length < schema.minItems) no(`has fewer than ${schema.minItems} items`);
  if (schema.maxItems !== undefined && value.length > schema.maxItems) no(`has more than ${schema.maxItems} items`);
  if (schema.uniqueItems && value.some((item, i) => value.slice(0, i).some((other) => same(item, other)))) no('has equal items');
  const fixed = schema.prefixItems ?? [];
  value.forEach((item, i) => {
    const part = i < fixed.length ? fixed[i] : schema.items;
    if (part !== undefined) found.push(...inner(part, item, `${path}/${i}`));
  });
  if (schema.contains !== undefined) {
    const count = value.filter((item) => inner(schema.contains, item).length === 0).length;
    if (count < (schema.minContains ?? 1)) no('lacks an item that it has to contain');
    if (schema.maxContains !== undefined && count > schema.maxContains) no('contains too many such items');
  }
}
function checkObject(schema, value, no, found, inner, path) {
  const names = Object.keys(value);
  for (const name of schema.required ?? []) if (!has(value, name)) no(`"${name}" is a required property`);
  if (schema.minProperties !== undefined && names.length < schema.minProperties) no('has too few properties');
  if (schema.maxProperties !== undefined && names.length > schema.maxProperties) no('has too many properties');
  for (const name of names) {
    const where = `${path}/${name}`;
    let known = false;
    if (schema.properties && has(schema.properties, name)) {
      known = true;
      found.push(...inner(schema.properties[name], value[name], where));
    }
    for (const pattern of Object.keys(schema.patternProperties ?? {})) {
      if (matches(pattern, name)) {
        known = true;
        found.push(...inner(schema.patternProperties[pattern], value[name], where));
      }
    }
    if (!known && schema.additionalProperties !== undefined) {
      if (schema.additionalProperties === false) no(`the property "${name}" is not allowed`);
      else found.push(...inner(schema.additionalProperties, value[name], where));
    }
    if (schema.propertyNames !== undefined) found.push(...inner(schema.propertyNames, name, where));
    for (const other of get(schema.dependentRequired ?? {}, name) ?? []) if (!has(value, other)) no(`"${other}" is needed beside "${name}"`);
    const dependent = get(schema.dependentSchemas ?? {}, name);
    if (dependent !== undefined) found.push(...inner(dependent, value));
  }
}
const schemaOf = (number) => (number === null ? true : TABLE.schemas[number]);
const sent = (number, value) => check(schemaOf(number), value, TABLE.defs.request);
const shown = (number) => (value) => check(schemaOf(number), value, TABLE.defs.response).length === 0;

// ---- routes ----
const ROUTES = TABLE.routes.map((route) => ({ ...route, regex: new RegExp(`^(?:${route.pattern})$`) }));
function decoded(rawPath) {
  return rawPath.split('/').map((step) => decodeText(step).replaceAll('/', '%2F')).join('/');
}
function decodeText(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
function relative(rawPath) {
  const base = TABLE.basePaths.find((item) => item && rawPath.startsWith(`${item}/`)) ?? '';
  return rawPath.slice(base.length);
}
function findRoute(rawPath, method) {
  const path = rawPath.includes('%') ? decoded(rawPath) : rawPath;
  let best = null;
  const allowed = [];
  for (const base of TABLE.basePaths) {
    if (base && !path.startsWith(`${base}/`) && path !== base) continue;
    const rest = path.slice(base.length) || '/';
    for (const route of ROUTES) {
      const hit = route.regex.exec(rest);
      if (hit === null) continue;
      const values = {};
      route.names.forEach((name, i) => put(values, name, hit[i + 1].replaceAll('%2F', '/')));
      const match = { route, values };
      const methods = Object.keys(route.methods);
      if (has(route.methods, method) || (method === 'HEAD' && has(route.methods, 'GET'))) return [match, methods];
      if (best === null) allowed.push(...methods);
      best = best ?? match;
    }
  }
  return [best, allowed];
}

// ---- inputs ----
function queryPairs(text) {
  return text === '' ? [] : text.split('&').filter(Boolean).map((part) => {
    const at = part.indexOf('=');
    const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    return [decodeText(name.replaceAll('+', ' ')), decodeText(value.replaceAll('+', ' '))];
  });
}
function cookiesOf(header) {
  const found = {};
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    const name = (at < 0 ? part : part.slice(0, at)).trim();
    if (name) put(found, name, at < 0 ? '' : part.slice(at + 1).trim());
  }
  return found;
}
function coerce(shape, text) {
  const kind = shape?.kind ?? '';
  if (kind === 'integer' && /^-?\d+$/.test(text)) return whole(text);
  if ((kind === 'number' || kind === 'integer') && /^[0-9+\-.eE]+$/.test(text)) {
    const number = Number(text);
    return text.trim() !== '' && Number.isFinite(number) ? number : text;
  }
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (kind === 'null' && (text === '' || text === 'null')) return null;
  if (kind === 'object' && text.startsWith('{')) {
    try { return readJson(text); } catch { return text; }
  }
  return text;
}
function rawValue(parameter, request, pathValues, query) {
  if (parameter.in === 'path') return get(pathValues, parameter.name);
  if (parameter.in === 'header') return get(request.headers, parameter.name.toLowerCase());
  if (parameter.in === 'cookie') return get(cookiesOf(request.headers.cookie), parameter.name);
  if (parameter.style === 'deepObject') {
    const prefix = `${parameter.name}[`;
    const found = {};
    for (const [name, value] of query) if (name.startsWith(prefix)) put(found, name.slice(prefix.length, -1), value);
    return Object.keys(found).length ? found : undefined;
  }
  const values = query.filter(([name]) => name === parameter.name).map(([, value]) => value);
  return values.length ? values : undefined;
}
function unstyled(parameter, text) {
  if (parameter.style === 'label') {
    const bare = text.startsWith('.') ? text.slice(1) : text;
    const dotted = ['array', 'object'].includes(parameter.shape.kind) && (parameter.explode || !bare.includes(','));
    return dotted ? bare.replaceAll('.', ',') : bare;
  }
  if (parameter.style === 'matrix') {
    const prefix = `;${parameter.name}=`;
    return (text.startsWith(prefix) ? text.slice(prefix.length) : text).replaceAll(prefix, ',');
  }
  return text;
}
function piecesOf(parameter, text) {
  const pieces = text.split(DELIMITERS[parameter.style] ?? ',');
  return parameter.in === 'header' ? pieces.map((piece) => piece.replace(/^[ \t]+|[ \t]+$/g, '')) : pieces;
}
function styledValue(parameter, raw) {
  const { shape } = parameter;
  const part = (name) => get(shape.properties ?? {}, name);
  if (isObject(raw)) {
    const found = {};
    for (const name of Object.keys(raw)) put(found, name, coerce(part(name), raw[name]));
    return found;
  }
  let texts = Array.isArray(raw) ? raw : [unstyled(parameter, String(raw))];
  if (shape.kind === 'array') {
    if (texts.length === 1 && !(parameter.explode && parameter.in === 'query')) texts = piecesOf(parameter, texts[0]);
    return texts.map((text) => coerce(shape.items, text));
  }
  const last = texts[texts.length - 1];
  if (shape.kind === 'object') {
    const pieces = piecesOf(parameter, last);
    const found = {};
    if (parameter.explode) {
      for (const piece of pieces.filter(Boolean)) {
        const at = piece.indexOf('=');
        const name = at < 0 ? piece : piece.slice(0, at);
        put(found, name, coerce(part(name), at < 0 ? '' : piece.slice(at + 1)));
      }
    } else {
      for (let i = 0; i + 1 < pieces.length; i += 2) put(found, pieces[i], coerce(part(pieces[i]), pieces[i + 1]));
    }
    return found;
  }
  return coerce(shape, last);
}
function readInputs(operation, request, pathValues) {
  const inputs = { values: new Map(), body: undefined, violations: [], deprecated: [], malformed: false, unsupported: false };
  const query = queryPairs(request.query);
  for (const parameter of operation.parameters) {
    if (parameter.in === 'header' && IGNORED_HEADERS.has(parameter.name.toLowerCase())) continue;
    let raw = rawValue(parameter, request, pathValues, query);
    if (raw === undefined && parameter.spread) raw = spreadValue(parameter, query);
    readParameter(parameter, raw, inputs);
  }
  readBody(operation, request, inputs);
  return inputs;
}
function spreadValue(parameter, query) {
  const found = {};
  for (const [name, value] of query) if (has(parameter.shape.properties ?? {}, name)) put(found, name, value);
  return Object.keys(found).length ? found : undefined;
}
function readParameter(parameter, raw, inputs) {
  const where = `${parameter.in} parameter ${parameter.name}`;
  const { kind } = parameter.shape;
  if (raw === undefined) {
    if (parameter.required && !(parameter.spread && Object.keys(parameter.shape.properties ?? {}).length === 0)) inputs.violations.push(`${where} is missing`);
    return;
  }
  if (parameter.in === 'header' && CLIENT_HEADERS.has(parameter.name.toLowerCase())) return;
  if (parameter.deprecated) inputs.deprecated.push([parameter.in, parameter.name]);
  let value;
  if (parameter.media !== null) {
    const text = Array.isArray(raw) ? raw[raw.length - 1] : String(raw);
    try { value = parameter.mediaIsJson ? readJson(text) : text; } catch {
      inputs.violations.push(`${where} is not valid JSON`);
      return;
    }
  } else value = styledValue(parameter, raw);
  if (value === '' && parameter.in === 'query' && ['integer', 'number', 'boolean'].includes(kind)) {
    if (!parameter.allowEmpty) inputs.violations.push(`${where} is empty`);
    return;
  }
  for (const problem of sent(parameter.schema, value).slice(0, MAX_MESSAGES)) inputs.violations.push(`${where}: ${problem}`);
  inputs.values.set(`${parameter.in} ${parameter.name}`, { parameter, value });
}
const bareMedia = (text) => (text ?? '').split(';')[0].trim().toLowerCase();
const isJsonMedia = (text) => {
  const bare = bareMedia(text);
  return ['application/json', 'text/json', '*/*', 'application/*'].includes(bare) || bare.endsWith('+json');
};
function readBody(operation, request, inputs) {
  const declared = operation.body;
  const type = bareMedia(request.headers['content-type']);
  const isWritten = type === FORM || isXmlMedia(type); // empty says something there
  if (request.body.length === 0 && (declared === null || !isWritten)) {
    if (declared !== null && declared.required) inputs.violations.push('the request body is missing');
    return;
  }
  if (declared === null) {
    inputs.unsupported = type !== '';
    return;
  }
  const media = type === '' ? declared.content[0] : declared.content.find((item) => {
    const bare = bareMedia(item.type);
    return bare === type || bare === '*/*' || (bare.endsWith('/*') && type.startsWith(bare.slice(0, -1)));
  });
  if (media === undefined) {
    inputs.unsupported = declared.content.length > 0;
    return;
  }
  if (isJsonMedia(type || media.type)) {
    try { inputs.body = readJson(request.body.toString('utf8')); } catch {
      inputs.malformed = true;
      inputs.violations.push('the request body is not valid JSON');
      return;
    }
  } else if (type === FORM) {
    const text = request.body.toString('utf8');
    inputs.body = fieldsOf(media, queryPairs(text));
    inputs.violations.push(...reserved(media, text));
  } else if (isXmlMedia(type)) {
    try { inputs.body = xmlValue(media.xml, xmlTree(request.body.toString('utf8'))); } catch {
      inputs.malformed = true;
      inputs.violations.push('the request body is not valid XML');
      return;
    }
  } else if (type === MULTIPART) {
    const fields = partsOf(request.headers['content-type'], request.body.toString('utf8'));
    if (fields === null) {
      inputs.malformed = true;
      inputs.violations.push('the request body is not valid multipart/form-data');
      return;
    }
    inputs.body = fieldsOf(media, fields);
    for (const [name, value] of fields) {
      if (media.closed.includes(name) && RESERVED.test(value)) inputs.violations.push(`body /${name}: reserved characters are not allowed`);
    }
  } else if ((type || bareMedia(media.type)).startsWith('text/') && !['object', 'array'].includes(media.shape.kind)) {
    inputs.body = coerce(media.shape, request.body.toString('utf8'));
  } else return;
  for (const problem of sent(media.schema, inputs.body)) inputs.violations.push(`body ${problem}`);
}
// ---- XML bodies: read by the plan of the table; document types and own entities are refused ----
const isXmlMedia = (bare) => bare.endsWith('/xml') || bare.endsWith('+xml');
const XML_TOKEN = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([^\s<>/!?"'=]+)((?:\s+[^\s=<>/"']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
const xmlLocal = (name) => name.slice(name.lastIndexOf(':') + 1);
const XML_NAMED = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
function xmlPlain(text) {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));/g, (_, hex, decimal, name) => {
    if (name) return XML_NAMED[name];
    const number = hex ? parseInt(hex, 16) : Number(decimal);
    return number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff) ? String.fromCodePoint(number) : '\ufffd';
  });
}
function xmlTree(text) {
  const outer = { name: '', attributes: {}, children: [], text: '' };
  const stack = [outer];
  let position = 0;
  while (position < text.length) {
    XML_TOKEN.lastIndex = position;
    const hit = XML_TOKEN.exec(text);
    if (hit === null) throw new Error('not well-formed');
    position = XML_TOKEN.lastIndex;
    const [, data, closing, name, attributes, empty, plain] = hit;
    const top = stack[stack.length - 1];
    if (data !== undefined || plain !== undefined) top.text += data !== undefined ? data : xmlPlain(plain);
    else if (closing) {
      if (stack.length === 1 || stack.pop().name !== xmlLocal(name)) throw new Error('an element ends that did not begin');
    } else if (name !== undefined) {
      const node = { name: xmlLocal(name), attributes: {}, children: [], text: '' };
      for (const pair of attributes.matchAll(/([^\s=<>/"']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g)) put(node.attributes, xmlLocal(pair[1]), xmlPlain(pair[2] ?? pair[3] ?? ''));
      top.children.push(node);
      if (!empty) stack.push(node);
      if (stack.length > 100) throw new Error('too deep');
    }
  }
  if (stack.length !== 1 || outer.children.length !== 1 || outer.text.trim()) throw new Error('not one element');
  return outer.children[0];
}
function xmlValue(how, node) {
  const kind = how ? how.kind : '';
  if ((kind === 'object' || kind === 'array') && !node.children.length && node.text.trim()) return node.text;
  if (kind === 'array') return node.children.map((child) => xmlValue(how.items, child));
  if (kind === 'object' || (kind === '' && node.children.length)) return xmlObject(how?.properties ?? {}, node);
  if (node.children.length) return xmlObject({}, node);
  return coerce({ kind }, node.text);
}
function xmlObject(known, node) {
  const found = {};
  const used = new Set();
  for (const key of Object.keys(known)) {
    const how = known[key];
    let name = xmlLocal(how.name || key);
    if (how.attribute) {
      if (has(node.attributes, name)) put(found, key, coerce({ kind: how.kind }, node.attributes[name]));
      continue;
    }
    if (how.kind === 'array' && !how.wrapped) {
      name = xmlLocal(how.items?.name || name);
      const items = node.children.filter((child) => child.name === name).map((child) => xmlValue(how.items, child));
      if (items.length) put(found, key, items);
    } else {
      const child = node.children.find((item) => item.name === name);
      if (child !== undefined) put(found, key, xmlValue(how, child));
    }
    used.add(name);
  }
  for (const child of node.children) if (!used.has(child.name)) put(found, child.name, xmlValue(null, child));
  return found;
}
function reserved(media, text) {
  const pairs = text.split('&').map((part) => {
    const at = part.indexOf('=');
    return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
  });
  return media.guarded
    .filter((name) => pairs.some(([key, value]) => decodeText(key.replaceAll('+', ' ')) === name && RESERVED.test(value.replaceAll(get(media.delimiters, name) ?? '', ''))))
    .map((name) => `body /${name}: reserved characters have to be percent-encoded`);
}
function partsOf(contentType, text) {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType);
  if (boundary === null) return null;
  const pieces = `\r\n${text}`.split(`\r\n--${boundary[1] ?? boundary[2]}`);
  if (pieces.length < 2 || !pieces[pieces.length - 1].startsWith('--')) return null;
  const found = [];
  for (const piece of pieces.slice(1, -1)) {
    const at = piece.indexOf('\r\n\r\n');
    const name = /content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"/i.exec(at < 0 ? piece : piece.slice(0, at));
    if (name !== null) found.push([name[1], at < 0 ? '' : piece.slice(at + 4)]);
  }
  return found;
}
function fieldsOf(media, pairs) {
  const found = {};
  const known = media.shape.properties ?? {};
  for (const [written, value] of pairs) {
    const deep = /^([^[\]]+)\[([^[\]]+)\]$/.exec(written);
    const name = deep === null ? written : deep[1];
    const shape = get(known, name);
    if (deep !== null && shape?.kind === 'object') {
      if (!isObject(get(found, name))) put(found, name, {});
      put(found[name], deep[2], coerce(get(shape.properties ?? {}, deep[2]), value));
      continue;
    }
    if (shape?.kind === 'array') {
      const between = get(media.delimiters, name);
      const pieces = between === undefined ? [value] : value.split(between);
      put(found, name, [...(get(found, name) ?? []), ...pieces.map((piece) => coerce(shape.items, piece))]);
    }
    else put(found, written, coerce(get(known, written), value));
  }
  return found;
}

// ---- choice of answers ----
function problem(status, detail, violations = []) {
  const body = { type: 'about:blank', title: PHRASES[status], status, detail };
  if (violations.length) body.violations = violations;
  return { status, body, type: 'application/problem+json', headers: {}, violations };
}
function forStatus(operation, status, useDefault = true) {
  const keys = [String(status), `${Math.floor(status / 100)}XX`, ...(useDefault ? ['default'] : [])];
  const key = keys.find((name) => has(operation.answers, name));
  return key === undefined ? null : operation.answers[key];
}
// 401, else a declared 403
function forStranger(operation) {
  if (!has(operation.answers, '401') && has(operation.answers, '403')) return [403, operation.answers['403']];
  return [401, forStatus(operation, 401)];
}
function forBadRequest(operation, malformed, violations) {
  const exact = malformed ? [400, 422] : [422, 400];
  for (const status of [...exact, operation.describedRefusal]) {
    if (has(operation.answers, String(status))) return [status, operation.answers[String(status)]];
  }
  const response = get(operation.answers, '4XX') ?? get(operation.answers, 'default') ?? null;
  const isLost = response === null && has(operation.answers, '404') && violations.every((text) => /^(?:path|query) parameter /.test(text));
  return isLost ? [404, operation.answers['404']] : [exact[0], response];
}
function forFailure(operation) {
  const exact = Object.keys(operation.answers).filter((key) => /^5\d\d$/.test(key)).sort();
  if (exact.length) return [Number(exact[0]), operation.answers[exact[0]]];
  return [500, get(operation.answers, '5XX') ?? get(operation.answers, 'default') ?? null];
}
function covers(kind, bare) {
  if (kind === bare || bare === '*/*') return 3;
  if (kind.endsWith('/*') && kind !== '*/*') return bare.startsWith(kind.slice(0, -1)) ? 2 : 0;
  if (bare.endsWith('/*')) return kind.startsWith(bare.slice(0, -1)) ? 2 : 0;
  return kind === '*/*' || kind === '*' ? 1 : 0;
}
function acceptable(content, accept) {
  if (accept.trim() === '') return [...content].sort((a, b) => Number(!a.json) - Number(!b.json));
  const ranges = accept.split(',').filter((part) => part.trim()).map((part) => {
    const [kind, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    let quality = 1;
    for (const text of parameters) if (text.startsWith('q=')) quality = Number.isFinite(Number(text.slice(2))) && text.length > 2 ? Number(text.slice(2)) : 0;
    return [kind, quality];
  });
  const scored = [];
  content.forEach((media, order) => {
    let best = null;
    ranges.forEach(([kind, quality], place) => {
      const specific = covers(kind, bareMedia(media.type));
      if (specific === 0) return;
      if (best === null || specific > best[0] || (specific === best[0] && quality > best[1])) best = [specific, quality, place];
    });
    if (best !== null && best[1] > 0) scored.push({ quality: best[1], place: best[2], late: Number(media.late), order, media });
  });
  scored.sort((a, b) => b.quality - a.quality || a.place - b.place || a.late - b.late || a.order - b.order);
  return scored.map((entry) => entry.media);
}
const mediaFor = (response, accept) => acceptable(response.content, accept).find((media) => media.pool.length) ?? null;
function preference(header, query) {
  const found = {};
  if (query.includes('__')) for (const [name, value] of queryPairs(query)) if (name.startsWith('__')) put(found, name.slice(2), value);
  for (const hit of header.matchAll(/\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^,;\s]*))/g)) put(found, hit[1].toLowerCase(), hit[2] ?? hit[3]);
  return { code: get(found, 'code') || null, example: get(found, 'example') || null, dynamic: get(found, 'dynamic') === 'true' };
}
function worded(body, status, reason) {
  if (!isObject(body) || status < 400) return {};
  const changes = {};
  for (const name of STATUS_NAMES) if (isWhole(get(body, name))) changes[name] = status;
  const named = WORDED.find((name) => typeof get(body, name) === 'string');
  if (named !== undefined) changes[named] = reason;
  if (typeof get(body, 'code') === 'string' && has(PHRASES, status)) changes.code = PHRASES[status].toLowerCase().replaceAll(' ', '_');
  return changes;
}
const headerText = (violations) => violations.join('; ').replace(/[^ -~]/gu, '?').slice(0, 500);
const reasons = (entries) => JSON.stringify(entries.slice(0, 5)).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
const reasonsText = (text) => [...text].slice(0, 200).join('');
const entryOf = (location, severity, code, message) => ({ location, severity, code, message });
function reasonOf(text) {
  const found = /^(path|query|header|cookie) parameter (.*?)(?: is |: )/s.exec(text);
  const location = found === null ? ['request', 'body'] : ['request', found[1], found[2]];
  return entryOf(location, 'Error', text.endsWith('is missing') ? 'required' : 'invalid', reasonsText(text));
}
function reasonOfDeprecated([place, name]) {
  return entryOf(['request', place, name], 'Warning', 'deprecated', reasonsText(`${place} parameter ${name} is deprecated`));
}
function overlay(base, changes, valid) {
  if (!isObject(base) || Object.keys(changes).length === 0) return base;
  const whole = merged(base, changes);
  if (valid(whole)) return whole;
  let result = base;
  for (const name of Object.keys(changes)) {
    const candidate = merged(result, put({}, name, changes[name]));
    if (valid(candidate)) result = candidate;
  }
  return result;
}
function failed(operation, request, status, response, reason, violations = []) {
  const headers = violations.length ? { [VIOLATIONS_HEADER]: headerText(violations), [REASONS_HEADER]: reasons(violations.map(reasonOf)) } : {};
  if (response === null) return { ...problem(status, reason, violations), operation, headers };
  if (response.content.length === 0) return { status, body: null, type: null, operation, violations, headers };
  const media = mediaFor(response, request.headers.accept ?? '') ?? mediaFor(response, '');
  if (media === null) return { ...problem(status, reason, violations), operation, headers };
  const wanted = violations.length ? preference(request.headers.prefer ?? '', '') : { code: null };
  if (wanted.code === String(status) && wanted.example !== null && has(media.examples, wanted.example)) {
    return { status, body: TABLE.values[media.examples[wanted.example]], type: media.type, operation, violations, headers: merged(response.headers, headers) };
  }
  let body = TABLE.values[media.pool[0]];
  if (media.json) body = overlay(body, worded(body, status, reason), shown(media.schema));
  return { status, body, type: media.type, operation, violations, headers: merged(response.headers, headers) };
}
function noBody(operation, request, response) {
  const offered = response.content.map((item) => item.type).join(', ');
  const can = acceptable(response.content, request.headers.accept ?? '').length > 0;
  if (can) return problem(500, `no body can be made that the schema of this answer allows (${offered})`);
  return problem(406, `this operation answers with ${offered}`);
}
function plain(operation, request, response, status, wanted = { example: null, dynamic: false }) {
  const { example } = wanted;
  if (response.content.length === 0 || NO_BODY.has(status)) return { status, body: null, type: null, headers: response.headers, operation, media: null };
  const media = mediaFor(response, request.headers.accept ?? '');
  if (media === null) return { ...noBody(operation, request, response), operation, media: null };
  let body;
  if (example !== null) {
    if (!has(media.examples, example)) return { ...problem(404, `the answer ${status} has no example "${example}"`), operation, media: null };
    body = TABLE.values[media.examples[example]];
  } else {
    const pool = (wanted.dynamic || TABLE.options.dynamic) && media.made !== null ? media.made : media.pool;
    body = TABLE.values[pool[hash32(`${TABLE.seed}|${relative(request.rawPath)}|${request.query}`) % pool.length]];
  }
  return { status, body, type: media.type, headers: response.headers, operation, media };
}
function preferred(operation, request, wanted) {
  let status = operation.successStatus;
  let response = operation.success === null ? null : operation.answers[operation.success];
  if (wanted.code !== null) {
    if (!/^[2-5]\d\d$/.test(wanted.code)) return { ...problem(400, `"${wanted.code}" is no status code`), operation };
    status = Number(wanted.code);
    response = forStatus(operation, status);
  }
  if (response === null) return { ...problem(404, `the answer ${status} is not declared`), operation };
  return plain(operation, request, response, status, wanted);
}
function successOf(operation, request) {
  if (operation.success === null) return { status: 200, body: null, type: null, headers: {}, operation, media: null };
  return plain(operation, request, operation.answers[operation.success], operation.successStatus);
}
function stateless(operation, request, inputs) {
  const answer = successOf(operation, request);
  const { media } = answer;
  if (!media || !media.json || !isObject(answer.body)) return answer;
  const echo = {};
  for (const [name, target] of operation.pathEcho) {
    const found = inputs.values.get(`path ${name}`);
    const old = get(answer.body, target);
    if (found !== undefined && old !== undefined && (old === null || typeof old !== 'object')) put(echo, target, found.value);
  }
  const body = isObject(inputs.body) && !media.fromExample ? only(inputs.body, (name) => has(answer.body, name)) : {};
  return { ...answer, body: overlay(answer.body, merged(body, echo), shown(media.schema)) };
}

// ---- memory ----
const shelves = new Map();
function shelfOf(index, values) {
  const behaviour = TABLE.behaviours[index];
  const parents = Object.keys(behaviour.parents).map((name) => get(values, name) ?? '');
  const scope = JSON.stringify([index, ...parents]);
  if (!shelves.has(scope)) {
    const items = new Map(behaviour.seeds.map((item) => [String(item[behaviour.idProperty]), copy(item)]));
    shelves.set(scope, { index, parents, items, gone: new Set(), made: 0 });
  }
  return shelves.get(scope);
}
function hasParent(behaviour, values) {
  if (behaviour.parent === null) return true;
  const parent = TABLE.behaviours[behaviour.parent];
  return shelfOf(behaviour.parent, values).items.has(get(values, behaviour.parentParameter) ?? '') && hasParent(parent, values);
}
function nextId(kind, ids, count, name) {
  if (kind === 'integer') return count;
  if (kind === 'digits') return String(count);
  if (kind === 'uuid' || ids.length === 0) return uuid(`${name}|${count}`);
  return ids[(count - 1) % ids.length];
}
function freshId(behaviour, shelf) {
  const name = `${TABLE.seed}|${behaviour.itemPath}`;
  let count = behaviour.seeds.length + shelf.made;
  for (let turn = 0; turn < 1000; turn += 1) {
    count += 1;
    const identity = nextId(behaviour.idKind, behaviour.ids, count, name);
    if (!shelf.items.has(String(identity)) && !shelf.gone.has(String(identity))) return identity;
  }
  return nextId(behaviour.idKind, behaviour.ids, count, name);
}
function createItem(behaviour, shelf, values, body) {
  const base = behaviour.bases[shelf.made % behaviour.bases.length];
  const item = merged(copy(base), only(body, (name) => !behaviour.readOnly.includes(name)));
  const key = behaviour.idProperty;
  const given = get(body, key);
  if (behaviour.readOnly.includes(key) || given === undefined || (given !== null && typeof given === 'object')) put(item, key, freshId(behaviour, shelf));
  for (const parameter of Object.keys(behaviour.parents)) {
    const name = behaviour.parents[parameter];
    if (name === null || !has(values, parameter)) continue;
    const text = values[parameter];
    put(item, name, isWhole(get(item, name)) && /^\d+$/.test(text) ? whole(text) : text);
  }
  shelf.made += 1;
  shelf.items.set(String(item[key]), item);
  shelf.gone.delete(String(item[key]));
  return item;
}
function replaceItem(behaviour, shelf, identity, body, partly) {
  const old = shelf.items.get(identity);
  let stays = partly ? old : only(old, (name) => behaviour.kept.includes(name));
  if (!partly) stays = merged(only(behaviour.bases[0], (name) => !has(stays, name)), stays);
  const changes = only(body, (name) => !behaviour.readOnly.includes(name) && name !== behaviour.idProperty);
  shelf.items.set(identity, merged(stays, changes));
  return shelf.items.get(identity);
}
function putItem(behaviour, shelf, identity, body) {
  const base = behaviour.bases[0];
  const old = get(base, behaviour.idProperty);
  const item = merged(copy(base), only(body, (name) => !behaviour.readOnly.includes(name)));
  put(item, behaviour.idProperty, isWhole(old) && /^\d+$/.test(identity) ? whole(identity) : identity);
  shelf.items.set(identity, item);
  shelf.gone.delete(identity);
  return item;
}
const singles = new Map();
function singleAnswer(operation, match, request, inputs) {
  const [path, role] = operation.single;
  const key = JSON.stringify([path, ...Object.values(match.values)]);
  const old = ['replace', 'reset'].includes(role) ? {} : singles.get(key) ?? {};
  const sent = ['replace', 'patch', 'change'].includes(role) && isObject(inputs.body) ? inputs.body : {};
  singles.set(key, merged(old, sent));
  const answer = stateless(operation, request, inputs);
  if (!answer.media || !answer.media.json || !isObject(answer.body)) return answer;
  return { ...answer, body: overlay(answer.body, singles.get(key), shown(answer.media.schema)) };
}
const asText = (value) => (value === null ? 'None' : String(value));
function passes(item, query) {
  return [...query].every(([name, wanted]) => {
    const value = get(item, name);
    if (PAGING.has(name) || value === undefined || (value !== null && typeof value === 'object')) return true;
    return (Array.isArray(wanted) ? wanted : [wanted]).some((option) => asText(value) === asText(option));
  });
}
function firstNumber(query, names) {
  const name = names.find((option) => isWhole(query.get(option)));
  return name === undefined ? null : Math.max(0, Number(query.get(name)));
}
function pageOf(shelf, query) {
  const found = [...shelf.items].filter(([, item]) => passes(item, query));
  const limit = firstNumber(query, LIMITS);
  const page = firstNumber(query, PAGES);
  let offset = firstNumber(query, OFFSETS) ?? 0;
  if (page !== null && limit !== null) offset = Math.max(0, page - 1) * limit;
  const cursor = CURSORS.find((name) => query.has(name));
  const seen = cursor === undefined ? -1 : found.findIndex(([identity]) => identity === String(query.get(cursor)));
  if (seen >= 0) offset = seen + 1;
  const cut = limit === null ? found.slice(offset) : found.slice(offset, offset + limit);
  const isLast = cut.length === 0 || offset + cut.length >= found.length;
  return { items: cut.map(([, item]) => item), total: found.length, limit, offset, last: isLast ? null : cut.at(-1)[0] };
}
function conform(schema, hidden, item, spare) {
  const visible = only(item, (name) => !hidden.includes(name));
  const valid = shown(schema);
  return valid(visible) ? visible : overlay(spare, visible, valid);
}
function itemAnswer(operation, request, item) {
  const answer = successOf(operation, request);
  if (!answer.media || !answer.media.json) return answer;
  return { ...answer, body: conform(answer.media.schema, answer.media.hidden, item, answer.body) };
}
function listAnswer(operation, request, inputs, behaviour, shelf) {
  const answer = successOf(operation, request);
  const { media } = answer;
  if (!media || !media.json || !media.list) return answer;
  const query = new Map();
  for (const { parameter, value } of inputs.values.values()) if (parameter.in === 'query') query.set(parameter.name, value);
  for (const parameter of operation.parameters) {
    if (parameter.in === 'query' && !query.has(parameter.name) && isWhole(parameter.default)) query.set(parameter.name, parameter.default);
  }
  for (const [name, value] of [...query]) if (value === null) query.delete(name);
  const page = pageOf(shelf, query);
  const spares = behaviour.listKey === null ? answer.body : get(answer.body, behaviour.listKey);
  const spare = Array.isArray(spares) && spares.length ? spares[0] : {};
  const items = page.items.map((item) => conform(media.list.schema, media.list.hidden, item, spare));
  const valid = shown(media.schema);
  if (behaviour.listKey === null) return { ...answer, body: valid(items) ? items : answer.body };
  const base = isObject(answer.body) ? answer.body : {};
  const changes = put({}, behaviour.listKey, items);
  for (const name of TOTALS) if (isWhole(get(base, name)) && name !== behaviour.listKey) changes[name] = page.total;
  const key = behaviour.listKey;
  if (isWhole(get(base, 'limit')) && page.limit !== null && key !== 'limit') changes.limit = page.limit;
  if (isWhole(get(base, 'offset')) && key !== 'offset') changes.offset = page.offset;
  for (const name of MORE) if (typeof get(base, name) === 'boolean') changes[name] = page.last !== null;
  if (page.last !== null) for (const name of NEXT) if (has(base, name) && name !== key) changes[name] = page.last;
  return { ...answer, body: ended(overlay(base, changes, valid), page, valid) };
}
// Without a way on where the page is the last: null, left out or empty, as is allowed.
function ended(base, page, valid) {
  let result = base;
  if (page.last !== null) return result;
  for (const name of [...NEXT, ...NEXT_ADDRESS]) {
    if (typeof get(result, name) !== 'string') continue;
    const options = [merged(result, { [name]: null }), only(result, (other) => other !== name), merged(result, { [name]: '' })];
    result = options.find(valid) ?? result;
  }
  return result;
}
function missing(operation, request, declaredOnly) {
  const response = forStatus(operation, 404);
  if (response === null && declaredOnly) return null;
  return failed(operation, request, 404, response, 'there is nothing with this identity');
}
function remembered(operation, match, request, inputs) {
  const behaviour = TABLE.behaviours[operation.behaviour];
  const { role } = operation;
  if (!hasParent(behaviour, match.values)) {
    const answer = missing(operation, request, true);
    if (answer !== null) return answer;
  }
  const shelf = shelfOf(operation.behaviour, match.values);
  const body = isObject(inputs.body) ? inputs.body : {};
  if (role === 'list') return listAnswer(operation, request, inputs, behaviour, shelf);
  if (role === 'create') {
    const item = createItem(behaviour, shelf, match.values, body);
    const answer = itemAnswer(operation, request, item);
    const location = `${request.rawPath.replace(/\/+$/, '')}/${quoted(String(item[behaviour.idProperty]))}`;
    return { ...answer, headers: merged(answer.headers, { location }) };
  }
  const identity = get(match.values, behaviour.idParameter) ?? '';
  if (!shelf.items.has(identity) && role === 'replace' && behaviour.upserted) return itemAnswer(operation, request, putItem(behaviour, shelf, identity, body));
  if (!shelf.items.has(identity)) return missing(operation, request, !shelf.gone.has(identity)) ?? stateless(operation, request, inputs);
  let item;
  if (role === 'delete') {
    item = shelf.items.get(identity);
    shelf.items.delete(identity);
    shelf.gone.add(identity);
  } else if (role === 'read') item = shelf.items.get(identity);
  else item = replaceItem(behaviour, shelf, identity, body, role === 'patch');
  return itemAnswer(operation, request, item);
}
const quoted = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

// ---- security: by looks, or by a list ----
const CREDENTIALS = credentialsOf(process.env);
function credentialsOf(environment) {
  const rules = TABLE.credentials;
  const stated = environment.MOCK_CREDENTIALS;
  return {
    ...rules,
    ...(stated ? { texts: stated.split(','), isAll: true } : {}),
    visible: new RegExp(`^(?:${rules.visible})$`),
    likely: rules.likely.map((source) => new RegExp(`^(?:${source})$`)),
    notValid: new RegExp(rules.notValid),
  };
}
const bare = (text) => text.replace(/^[ \t]+|[ \t]+$/g, '');
const isVisible = (text) => CREDENTIALS.visible.test(text);
// What is wrong with a key or a token, null for nothing.
function problemOf(sentText, { texts, isAll } = CREDENTIALS) {
  const { missing, unlikely, disowned, unlisted } = CREDENTIALS.reasons;
  const text = bare(sentText);
  if (texts.includes(text)) return null;
  if (CREDENTIALS.nothing.includes(text)) return missing;
  if (isAll) return texts.includes(CREDENTIALS.any) ? null : unlisted;
  if (!isVisible(text)) return unlikely;
  if (CREDENTIALS.notValid.test(text.toLowerCase())) return disowned;
  return text.split(' ').some((part) => CREDENTIALS.likely.some((shape) => shape.test(part))) ? null : unlikely;
}
function refusalOf(operation, request) {
  if (!operation.security.length) return null;
  const { missing } = CREDENTIALS.reasons;
  const options = operation.security.map((option) => option.map((scheme) => schemeProblem(scheme, request)));
  if (options.some((option) => option.every((reason) => reason === null))) return null;
  return options.flat().find((reason) => reason !== null && reason !== missing) ?? missing;
}
function schemeProblem(scheme, request) {
  const { missing } = CREDENTIALS.reasons;
  if (scheme.kind === 'mutualTLS') return null;
  if (scheme.kind === 'apiKey') {
    const problems = keysOf(scheme, request).map((text) => problemOf(text));
    if (!problems.length) return missing;
    return problems.includes(null) ? null : problems[0];
  }
  const header = request.headers.authorization ?? '';
  const at = header.indexOf(' ');
  const kind = (at < 0 ? header : header.slice(0, at)).toLowerCase();
  const rest = at < 0 ? '' : bare(header.slice(at + 1));
  const wanted = scheme.kind === 'http' && scheme.scheme !== '' ? scheme.scheme : 'bearer';
  if (kind !== wanted) return missing;
  return wanted === 'basic' ? basicProblem(rest) : problemOf(rest);
}
function keysOf(scheme, request) {
  if (scheme.in === 'query') return queryPairs(request.query).filter(([name]) => name === scheme.name).map(([, text]) => text);
  return [(scheme.in === 'cookie' ? get(cookiesOf(request.headers.cookie), scheme.name) : get(request.headers, scheme.name.toLowerCase())) ?? ''];
}
// One of user and password has to look like a credential.
function basicProblem(text) {
  const { missing, unlikely, disowned } = CREDENTIALS.reasons;
  const plain = Buffer.from(text, 'base64').toString('latin1');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0 || !plain.includes(':') || plain === ':') return missing;
  if (CREDENTIALS.isAll || CREDENTIALS.texts.includes(plain)) return problemOf(plain);
  const at = plain.indexOf(':');
  const parts = [plain.slice(0, at), plain.slice(at + 1)].filter((part) => part !== '');
  const both = parts.map((part) => problemOf(part, { texts: [], isAll: false }));
  if (both.includes(disowned)) return disowned;
  return parts.every(isVisible) && both.includes(null) ? null : unlikely;
}
function challenge(scheme) {
  if (scheme.kind !== 'http' || scheme.scheme === '' || scheme.scheme === 'bearer') return 'Bearer';
  const nonce = scheme.scheme === 'digest' ? ', nonce="abc123"' : '';
  return `${scheme.scheme[0].toUpperCase()}${scheme.scheme.slice(1)} realm="*"${nonce}`;
}

// ---- the mock's own paths ----
const ADMIN = '/__admin/';
const MOST_CALLS = 500;
const calls = [];
function note(call) {
  calls.push(call);
  if (calls.length > MOST_CALLS) calls.shift();
}
function administered(request) {
  const done = { status: 204, body: null, type: null, headers: {} };
  const { method } = request;
  const path = request.rawPath.slice(ADMIN.length);
  if (path === 'reset' && (method === 'POST' || method === 'DELETE')) {
    shelves.clear();
    singles.clear();
    calls.length = 0;
    return done;
  }
  if (path === 'export' && method === 'GET') return { ...done, status: 200, body: exported(), type: 'application/json' };
  if (path === 'seed' && (method === 'POST' || method === 'PUT')) return seeded(request) ?? done;
  if (path === 'requests' && method === 'GET') return { ...done, status: 200, body: { requests: calls }, type: 'application/json' };
  if (path === 'requests' && method === 'DELETE') {
    calls.length = 0;
    return done;
  }
  return problem(404, "the mock's own paths are reset, export, seed and requests below /__admin/");
}
function exported() {
  const body = {};
  for (const shelf of shelves.values()) {
    const behaviour = TABLE.behaviours[shelf.index];
    let path = behaviour.collectionPath;
    Object.keys(behaviour.parents).forEach((name, i) => { path = path.replaceAll(`{${name}}`, () => quoted(shelf.parents[i])); });
    put(body, path, [...shelf.items.values()]);
  }
  return body;
}
function seeded(request) {
  let wanted;
  try { wanted = readJson(request.body.toString('utf8')); } catch { return problem(400, 'the request body is not valid JSON'); }
  if (!isObject(wanted)) return problem(422, 'send collections by their path: {"/things": [{"id": 1}]}');
  const placed = [];
  const wrong = [];
  for (const path of Object.keys(wanted)) {
    const found = collectionAt(path);
    const items = wanted[path];
    if (found === null || !Array.isArray(items)) {
      wrong.push(`${path} is no collection of this mock, or holds no list`);
      continue;
    }
    const [index, values] = found;
    items.forEach((item, place) => { for (const text of seedProblems(TABLE.behaviours[index], item)) wrong.push(`${path}/${place}: ${text}`); });
    placed.push([index, values, items]);
  }
  if (wrong.length) return problem(422, wrong.slice(0, 5).join('; '), wrong.slice(0, 5));
  for (const [index, values, items] of placed) {
    const shelf = shelfOf(index, values);
    const key = TABLE.behaviours[index].idProperty;
    const fresh = new Map(items.map((item) => [String(item[key]), item]));
    shelf.gone = new Set([...shelf.items.keys()].filter((name) => !fresh.has(name)));
    shelf.items = fresh;
    shelf.made = 0;
  }
  return null;
}
function collectionAt(path) {
  for (const [index, behaviour] of TABLE.behaviours.entries()) {
    const hit = new RegExp(`^(?:${behaviour.pattern})$`).exec(decoded(path));
    if (hit === null) continue;
    const values = {};
    Object.keys(behaviour.parents).forEach((name, i) => put(values, name, hit[i + 1].replaceAll('%2F', '/')));
    return [index, values];
  }
  return null;
}
function seedProblems(behaviour, item) {
  if (!isObject(item) || !has(item, behaviour.idProperty)) return [`an item has to be a mapping with "${behaviour.idProperty}"`];
  return check(schemaOf(behaviour.schema), item, TABLE.defs.response).slice(0, 1);
}
const isLoopback = (host) => host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
function hostOf(address) {
  try { return new URL(address).hostname.replace(/^\[|\]$/g, ''); } catch { return ''; }
}
// From this machine, and not through a page of another site.
function isLocal(client, headers) {
  const { host, origin } = headers;
  return isLoopback((client ?? '').replace(/^::ffff:/, '')) && isLoopback(hostOf(`http://${host ?? 'localhost'}`)) && (origin === undefined || isLoopback(hostOf(origin)));
}

// ---- faults: what happens to the n-th request, the same for the same seed ----
function settingsOf(environment) {
  const { latency, errorRate, timeoutRate } = TABLE.options;
  const stated = /^(\d+)(?:-(\d+))?$/.exec(environment.MOCK_LATENCY ?? '');
  return {
    latency: stated === null ? latency : [Number(stated[1]), Number(stated[2] ?? stated[1])],
    errorRate: Number(environment.MOCK_ERROR_RATE ?? errorRate),
    timeoutRate: Number(environment.MOCK_TIMEOUT_RATE ?? timeoutRate),
  };
}
const SETTINGS = settingsOf(process.env);
const HELD_MS = 60000;
let count = 0;
function nextFate() {
  count += 1;
  const [low, high] = SETTINGS.latency;
  const roll = hash32(`${TABLE.seed}|fault|${count}`) / 2 ** 32;
  let fault = null;
  if (roll < SETTINGS.timeoutRate) fault = 'timeout';
  else if (roll < SETTINGS.timeoutRate + SETTINGS.errorRate) fault = 'error';
  return { delay: low + (hash32(`${TABLE.seed}|latency|${count}`) % (high - low + 1)), fault };
}

// ---- callbacks: only to this machine and to hosts that were allowed by name ----
const CALLBACK_HEADER = 'x-maestro-callback';
function expressionValue(expression, request, answer, values) {
  if (expression === '$method') return request.method;
  if (expression === '$statusCode') return answer.status;
  if (expression === '$url') return `http://${request.headers.host ?? 'localhost'}${request.rawPath}${request.query ? `?${request.query}` : ''}`;
  const [source, place, ...others] = expression.slice(1).split('.');
  const rest = expression.slice(source.length + 2);
  const name = others.join('.');
  if (rest === 'body' || rest.startsWith('body#')) {
    let body = answer.body;
    if (source !== 'response') {
      try { body = readJson(request.body.toString('utf8')); } catch { return undefined; }
    }
    return rest.slice(4).split('/').slice(1).map((step) => decodeText(step).replaceAll('~1', '/').replaceAll('~0', '~')).reduce((node, step) => get(node, step), body);
  }
  if (source === 'response') return place === 'header' ? get(answer.headers, name.toLowerCase()) : undefined;
  if (place === 'header') return get(request.headers, name.toLowerCase());
  if (place === 'query') return queryPairs(request.query).find(([key]) => key === name)?.[1];
  return place === 'path' ? get(values, name) : undefined;
}
function refusal(url) {
  let address;
  try { address = new URL(url); } catch { return 'it is no address'; }
  if (!['http:', 'https:'].includes(address.protocol)) return 'only http and https addresses are called';
  if (address.username || address.password) return 'an address with a user name is not called';
  const host = hostOf(url);
  const named = new Set(TABLE.options.callbackHosts.map((name) => name.toLowerCase()));
  if (isLoopback(host) || named.has(host) || named.has(`${host}:${address.port}`)) return null;
  return `${host} is not this machine; allow it with callback_hosts`;
}
function outgoing(request, answer) {
  const operation = answer.operation ?? null;
  if (operation === null || !operation.callbacks.length || has(request.headers, CALLBACK_HEADER) || Math.floor(answer.status / 100) !== 2) return [];
  const [match] = findRoute(request.rawPath, request.method);
  return operation.callbacks.map((callback) => {
    let absent = null;
    const template = callback.url.includes('{') ? callback.url : `{${callback.url}}`;
    const url = template.replace(/\{(\$[^{}]+)\}/g, (_, expression) => {
      const value = expressionValue(expression, request, answer, match?.values ?? {});
      if (value === undefined || value === null || typeof value === 'object') absent = absent ?? expression;
      return String(value);
    });
    const made = { name: callback.name, method: callback.method, url: absent === null ? url : callback.url, headers: { [CALLBACK_HEADER]: '1' }, body: undefined };
    made.refused = absent === null ? refusal(url) : `${absent} has no value in this request`;
    if (made.refused !== null || callback.pool.length === 0) return made;
    let body = TABLE.values[callback.pool[hash32(`${TABLE.seed}|${callback.name}|${relative(request.rawPath)}|${request.query}`) % callback.pool.length]];
    if (isObject(body) && isObject(answer.body)) {
      const base = body;
      body = overlay(base, only(answer.body, (name) => has(base, name)), (value) => check(schemaOf(callback.schema), value, TABLE.defs.request).length === 0);
    }
    made.headers['content-type'] = callback.type.includes('*') ? 'application/json' : callback.type;
    made.body = writeJson(body);
    return made;
  });
}
async function callBack(item) {
  let status = null;
  let error = item.refused;
  if (error === null) {
    try {
      const { method, headers, body } = item;
      status = (await fetch(item.url, { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(5000) })).status;
    } catch (reason) { error = String(reason?.cause?.message ?? reason?.message ?? reason); }
  }
  note({ callback: item.name, method: item.method, url: item.url, body: item.body ?? null, status, error });
}

// ---- the decision ----
function decide(request, failing = false) {
  if (request.rawPath.startsWith(ADMIN)) return administered(request);
  const [match, allowed] = findRoute(request.rawPath, request.method);
  if (match === null) return problem(404, `no operation of this API has the path ${request.rawPath}`);
  const number = get(match.route.methods, request.method) ?? (request.method === 'HEAD' ? get(match.route.methods, 'GET') : undefined);
  if (number === undefined) {
    const allow = [...new Set([...allowed, 'OPTIONS', ...(allowed.includes('GET') ? ['HEAD'] : [])])].sort().join(', ');
    if (request.method === 'OPTIONS') return { status: 204, body: null, type: null, headers: { allow } };
    return { ...problem(405, `${request.method} is not an operation of ${request.rawPath}`), headers: { allow } };
  }
  const operation = TABLE.operations[number];
  if (failing && preference(request.headers.prefer ?? '', '').code === null) {
    const [status, response] = forFailure(operation);
    return failed(operation, request, status, response, 'this failure is simulated');
  }
  const refused = refusalOf(operation, request);
  if (refused !== null) {
    const [status, response] = forStranger(operation);
    const answer = failed(operation, request, status, response, refused);
    const named = operation.security.flat().filter((scheme) => scheme.kind !== 'apiKey');
    const challenges = [...new Set(named.map(challenge))].join(', ') || 'ApiKey realm="*"';
    return { ...answer, headers: merged(answer.headers, { 'www-authenticate': challenges, [REASONS_HEADER]: reasons([entryOf(['request'], 'Error', status, refused)]) }) };
  }
  const inputs = readInputs(operation, request, match.values);
  if (inputs.unsupported) {
    const takes = (operation.body?.content ?? []).map((item) => item.type).join(', ');
    const reason = `the media type ${bareMedia(request.headers['content-type'])} is not accepted; send ${takes || 'no body'}`;
    return failed(operation, request, 415, forStatus(operation, 415, false), reason);
  }
  if (inputs.violations.length) {
    const [status, response] = forBadRequest(operation, inputs.malformed, inputs.violations);
    return failed(operation, request, status, response, inputs.violations.join('; '), inputs.violations);
  }
  const answer = fulfilled(operation, match, request, inputs);
  if (!inputs.deprecated.length) return answer;
  return { ...answer, headers: merged(answer.headers, { [REASONS_HEADER]: reasons(inputs.deprecated.map(reasonOfDeprecated)) }) };
}
function fulfilled(operation, match, request, inputs) {
  const wanted = preference(request.headers.prefer ?? '', request.query);
  if (wanted.code !== null || wanted.example !== null || wanted.dynamic) return preferred(operation, request, wanted);
  if (operation.behaviour !== null) return remembered(operation, match, request, inputs);
  return operation.single === null ? stateless(operation, request, inputs) : singleAnswer(operation, match, request, inputs);
}

// ---- HTTP ----
function concrete(type) {
  if (!type.includes('*')) return type;
  return type.startsWith('text/') ? 'text/plain; charset=utf-8' : 'application/json';
}
function encoded(answer) {
  if (answer.type === null) return Buffer.alloc(0);
  const bare = bareMedia(answer.type);
  const isJson = bare.endsWith('/json') || bare.endsWith('+json') || bare.includes('*');
  return Buffer.from(!isJson && typeof answer.body === 'string' ? answer.body : writeJson(answer.body ?? null), 'utf8');
}
function handle(incoming, response) {
  const started = Date.now();
  const at = incoming.originalUrl.indexOf('?');
  const request = {
    method: incoming.method,
    rawPath: at < 0 ? incoming.originalUrl : incoming.originalUrl.slice(0, at),
    query: at < 0 ? '' : incoming.originalUrl.slice(at + 1),
    headers: incoming.headers,
    body: Buffer.isBuffer(incoming.body) ? incoming.body : Buffer.alloc(0),
  };
  const origin = request.headers.origin ?? '*';
  if (request.method === 'OPTIONS' && has(request.headers, 'access-control-request-method')) {
    response.writeHead(204, {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': CORS_METHODS,
      'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    response.end();
    return;
  }
  if (request.rawPath.startsWith(ADMIN)) {
    const allowed = isLocal(incoming.socket?.remoteAddress, request.headers);
    reply(request, response, allowed ? decide(request) : problem(403, "the mock's own paths are for this machine only"), started);
    return;
  }
  const { delay, fault } = nextFate();
  const finish = () => reply(request, response, fault === 'timeout' ? problem(504, 'this timeout is simulated') : decide(request, fault === 'error'), started);
  const wait = delay + (fault === 'timeout' ? HELD_MS : 0);
  if (wait === 0) finish();
  else setTimeout(finish, wait);
}
function reply(request, response, answer, started) {
  const origin = request.headers.origin ?? '*';
  const content = encoded(answer);
  const headers = { ...answer.headers, 'access-control-allow-origin': origin, 'access-control-expose-headers': '*' };
  if (answer.type !== null) headers['content-type'] = concrete(answer.type);
  if (content.length || ![204, 304].includes(answer.status)) headers['content-length'] = String(content.length);
  response.writeHead(answer.status, headers);
  response.end(request.method === 'HEAD' ? undefined : content);
  if (request.rawPath.startsWith(ADMIN)) return;
  const call = {
    seq: count, method: request.method, path: request.rawPath, query: request.query, status: answer.status,
    operation: answer.operation?.id ?? null, violations: answer.violations ?? [],
  };
  note({ ...call, headers: only(request.headers, (name) => RECORDED_HEADERS.has(name)), body: recorded(request.body), response_body: recorded(content) });
  for (const item of outgoing(request, answer)) callBack(item);
  log({ ...call, ms: Date.now() - started });
}
const RECORDED_HEADERS = new Set(['accept', 'content-type', 'prefer', 'user-agent', 'if-match', 'if-none-match']);
const recorded = (content) => (content.length ? content.subarray(0, 64000).toString('utf8') : null);
function log(call) {
  const target = process.env.MOCK_LOG ?? '';
  if (target === '0') return;
  const line = JSON.stringify(call);
  if (target === '') console.log(line);
  else require('node:fs').appendFileSync(target, `${line}\n`);
}

if (require.main === module) {
  const express = require('express');
  const app = express();
  app.disable('x-powered-by');
  app.use(express.raw({ type: () => true, limit: MAX_BODY_BYTES }));
  app.use(handle);
  const port = Number(process.env.PORT ?? 4010);
  const host = process.env.HOST ?? '127.0.0.1';
  const server = app.listen(port, host, (error) => {
    if (error) {
      console.error(error.code === 'EADDRINUSE' ? `port ${port} is already in use` : error.message);
      process.exit(1);
    }
    console.log(JSON.stringify({ ready: `http://${host}:${server.address().port}`, api: TABLE.title }));
  });
}

module.exports = { decide, hash32, uuid, check };

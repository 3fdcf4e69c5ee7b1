'use strict';
// A mock of a GraphQL API: the decision table below is data, the rules after it are the same for every API.
// Start:  npm install && node server.js      Settings: PORT (4000), HOST (127.0.0.1), MOCK_LOG=0 for silence,
// MOCK_LATENCY=50-200 (milliseconds), MOCK_ERROR_RATE=0.1, MOCK_TIMEOUT_RATE=0.01.
// Subscriptions are answered over WebSocket (protocol graphql-transport-ws) and as text/event-stream.
// Memory lasts until the process ends. POST /__admin/reset forgets it, GET /__admin/export shows it,
// POST /__admin/seed fills it: {"Book": [{"id": "1", "title": "Emma"}]}. GET /__admin/requests: the last 500.

const http = require('node:http');
const graphql = require('graphql');
const { ApolloServer } = require('@apollo/server');
const { useServer } = require('graphql-ws/use/ws');
const { WebSocketServer } = require('ws');

const TABLE = JSON.parse("__MAESTRO_TABLE__");

const { getNamedType, isLeafType, isEnumType, isListType, isNonNullType, isObjectType, isAbstractType, GraphQLError } = graphql;
const SINGLE = '=';
const LIMITS = ['first', 'limit', 'take', 'pageSize', 'page_size', 'perPage', 'per_page', 'size', 'top'];
const OFFSETS = ['offset', 'skip', 'start'];
const PAGES = ['page', 'pageNumber', 'page_number'];
const PAGING = new Set([...LIMITS, ...OFFSETS, ...PAGES, 'last', 'after', 'before', 'cursor', 'count']);
const PAGE_SIZE = 2;
const FILTERS = new Set(['filter', 'filters', 'where', 'condition', 'query', 'input', 'by']);
const EQUAL = ['eq', '_eq', 'equals', 'is'];
const IN = ['in', '_in', 'oneOf', 'any'];
const NUMBER = /^[1-9][0-9]{0,5}$/;
const WHOLE = /^[0-9]{1,9}$/;
const MANY_TYPES = 6;
const OF_EACH = 2;
const DONE = /^(ok|success|succeeded|successful|done|deleted|created|updated|removed|acknowledged)$/;
const COUNT = /^(count|affected\w*|deletedCount|updatedCount)$/;
const IDENTITY = /^(id|_id|uuid|deleted\w*(Id|ID|_id))$/;
const MISSING = Symbol('missing');
const NEVER = [];

const schema = graphql.buildSchema(TABLE.sdl, { assumeValid: true, assumeValidSDL: true });
// On the fields themselves: Apollo wraps what stands there, and forgets a resolver that it was given beside them.
for (const type of Object.values(schema.getTypeMap())) {
  if (isObjectType(type) && !type.name.startsWith('__')) for (const entry of Object.values(type.getFields())) entry.resolve = resolve;
}

// ---- small helpers: names of a schema are only ever keys of own properties ----
const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
const get = (object, key) => (object !== null && typeof object === 'object' && has(object, key) ? object[key] : undefined);
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isKey = (value) => typeof value === 'string' || Number.isInteger(value);
function put(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  return object;
}
function hash32(text) {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) value = Math.imul(value ^ byte, 0x01000193);
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
function uuid(text) {
  const digits = [0, 1, 2, 3].map((part) => hash32(`${text}#${part}`).toString(16).padStart(8, '0')).join('');
  const variant = '89ab'[parseInt(digits[16], 16) % 4];
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
}
const base64 = (text) => Buffer.from(text, 'utf8').toString('base64');
function decoded(key) {
  if (key.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(key)) return '';
  const bytes = Buffer.from(key, 'base64');
  return bytes.every((byte) => byte < 128) ? bytes.toString('latin1') : '';
}
const cursorOf = (rec) => base64(`${rec.type}:${rec.key}`);
function text(value) {
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return value === null || value === undefined ? '' : String(value);
}
function textOfArgs(args) {
  const pairs = Object.entries(args)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'boolean' || Number.isInteger(value))
    .map(([name, value]) => `${name}=${text(value)}`);
  return pairs.length ? `(${pairs.join(',')})` : '';
}
const nullable = (type) => (isNonNullType(type) ? type.ofType : type);
const isListed = (type) => isListType(nullable(type));
function fits(value, leaf) {
  if (value === null || value === undefined || !leaf || !isLeafType(leaf)) return false;
  if (isEnumType(leaf)) return typeof value === 'string' && leaf.getValue(value) !== undefined;
  switch (leaf.name) {
    case 'Int': return Number.isInteger(value) && Math.abs(value) < 2 ** 31;
    case 'Float': return typeof value === 'number';
    case 'Boolean': return typeof value === 'boolean';
    case 'ID': return typeof value === 'string' || Number.isInteger(value);
    case 'String': return typeof value === 'string';
    default: return true;
  }
}
const plainValue = (value, leaf) => (leaf.name === 'ID' ? text(value) : value);

// ---- what the table says ----
class Rec {
  constructor(type, key = '', fixed = {}, final = false) {
    this.type = type;
    this.key = key;
    this.fixed = fixed;
    this.final = final;
  }
  get __typename() {
    return this.type;
  }
}
const roots = {};
for (const [kind, type] of [['query', schema.getQueryType()], ['mutation', schema.getMutationType()], ['subscription', schema.getSubscriptionType()]]) {
  if (type) roots[kind] = type.name;
}
const rootNames = new Set(Object.values(roots));
const isRoot = (name) => rootNames.has(name);
const entityOf = (name) => get(get(TABLE.types, name), 'entity') ?? null;
const recipeOf = (type, name) => get(get(get(TABLE.types, type), 'fields'), name);
const pageOf = (name) => get(TABLE.pages, name);
const infoOf = (name) => get(TABLE.info, name) ?? {};
const deedOf = (root, name) => get(get(TABLE.deeds, root), name) ?? null;
const possibleOf = (type) => {
  if (isObjectType(type)) return [type.name];
  return (isAbstractType(type) && get(TABLE.possible, type.name)) || [];
};
const isEntity = (type) => {
  const options = possibleOf(type);
  return options.length > 0 && options.every((name) => entityOf(name) !== null);
};
const fieldsOf = (name) => {
  const type = schema.getType(name);
  return isObjectType(type) ? type.getFields() : {};
};
const fieldOf = (type, name) => get(fieldsOf(type), name);

// ---- memory ----
const listeners = new Set();
const kept = new Map();
const made = new Map();
const gone = new Set();
const place = (type, key) => JSON.stringify([type, key]);
function keptOf(type, key) {
  const at = place(type, key);
  if (!kept.has(at)) kept.set(at, {});
  return kept.get(at);
}
function reset() {
  kept.clear();
  made.clear();
  gone.clear();
}
const byText = (left, right) => (left < right ? -1 : left > right ? 1 : 0);
const byPlace = (left, right) => byText(left[0], right[0]) || byText(left[1], right[1]);
function exported() {
  const created = {};
  for (const type of [...made.keys()].sort(byText)) put(created, type, made.get(type));
  const changed = [...kept].map(([at, fields]) => [...JSON.parse(at), Object.keys(fields).sort(byText)]).sort(byPlace);
  const deleted = [...gone].map((at) => JSON.parse(at)).sort(byPlace);
  return {
    created,
    changed: changed.map(([type, key, fields]) => ({ type, key, fields })),
    deleted: deleted.map(([type, key]) => ({ type, key })),
  };
}

// ---- identities ----
function initialKey(name, index) {
  const kind = entityOf(name)?.kind ?? 'text';
  if (kind === 'uuid') return uuid(`${TABLE.seed}|${name}|${index}`);
  if (kind === 'global') return base64(`${name}:${index + 1}`);
  return String(index + 1);
}
function living(name) {
  const keys = [];
  for (let index = 0; index < (entityOf(name)?.count ?? 0); index += 1) keys.push(initialKey(name, index));
  keys.push(...(made.get(name) ?? []));
  return keys.filter((key) => !gone.has(place(name, key)));
}
const numeric = (key) => (WHOLE.test(key) ? Number(key) : hash32(key) % 1000000);
const identityValue = (name, key) => (entityOf(name)?.kind === 'number' ? numeric(key) : key);
function ordinal(name, key) {
  let told = key;
  if (entityOf(name)?.kind === 'global') {
    told = decoded(key);
    told = told.slice(told.lastIndexOf(':') + 1);
  }
  return NUMBER.test(told) ? Number(told) - 1 : hash32(key);
}
function typeOfKey(types, key) {
  if (types.length === 1) return types[0];
  const told = decoded(key).split(':')[0];
  return types.includes(told) ? told : types[hash32(key) % types.length];
}
function identityArg(names, args) {
  for (const name of names) {
    const value = get(args, name);
    if (isKey(value)) return String(value);
  }
  for (const value of Object.values(args)) {
    if (isObject(value)) {
      const found = identityArg(names, value);
      if (found !== null) return found;
    }
  }
  return null;
}

// ---- values ----
const isGone = (rec) => !rec.final && gone.has(place(rec.type, rec.key));
function shown(value, type) {
  if (Array.isArray(value)) return value.filter((item) => !(item instanceof Rec) || !isGone(item));
  if (value instanceof Rec && isGone(value) && !isNonNullType(type)) return null;
  return value;
}
function valueOf(rec, name, args = {}) {
  if (has(rec.fixed, name)) return shown(rec.fixed[name], fieldOf(rec.type, name).type);
  const stored = kept.get(place(rec.type, rec.key));
  if (stored !== undefined && has(stored, name)) return shown(stored[name], fieldOf(rec.type, name).type);
  return make(rec, name, args);
}
function make(rec, name, args) {
  const recipe = recipeOf(rec.type, name);
  if (recipe === undefined) return null;
  switch (recipe.rule) {
    case 'pool': return picked(rec, name, recipe);
    case 'key': return identityValue(rec.type, rec.key);
    case 'one': return one(rec, name, recipe, args);
    case 'list': {
      const items = cut(listed(rec, name, recipe, args), args);
      return recipe.lists > 1 ? [items] : items;
    }
    case 'page': return paged(rec, name, recipe, args);
    case 'refkey': return refKey(rec, name, recipe);
    case 'root': return new Rec(recipe.types[0]);
    case 'entities': return (args.representations ?? []).map(represented);
    case 'sdl': return TABLE.text;
    case 'empty': return [];
    default: return null;
  }
}
const seeded = (rec, name) => hash32(`${TABLE.seed}|${rec.type}.${name}`) + ordinal(rec.type, rec.key);
function picked(rec, name, recipe) {
  const values = TABLE.pools[recipe.pool ?? 0];
  const at = seeded(rec, name);
  if (!recipe.lists) {
    const found = values[at % values.length];
    const isFirst = rec.key === SINGLE || ordinal(rec.type, rec.key) === 0;
    return found === null && isFirst ? values[(at + 1) % values.length] : found;
  }
  const count = Math.min(1 + (at % 3), values.length);
  let items = [];
  for (let step = 0; step < count; step += 1) items.push(values[(at + step) % values.length]);
  for (let step = 1; step < recipe.lists; step += 1) items = [items];
  return items;
}
function refKey(rec, name, recipe) {
  let key;
  if (recipe.of !== undefined) {
    let found = valueOf(rec, recipe.of);
    found = found instanceof Rec ? found : make(rec, recipe.of, {});
    key = found instanceof Rec ? found.key : '0';
  } else {
    const kind = recipe.types[0];
    const alive = living(kind);
    const keys = alive.length ? alive : [initialKey(kind, 0)];
    key = keys[seeded(rec, name) % keys.length];
  }
  return getNamedType(fieldOf(rec.type, name).type).name === 'Int' ? numeric(key) : key;
}
function one(rec, name, recipe, args) {
  const root = isRoot(rec.type);
  if (recipe.entity) {
    const key = identityArg(recipe.ids ?? NEVER, args);
    if (key !== null) {
      const found = new Rec(typeOfKey(recipe.types, key), key);
      return isGone(found) ? null : found;
    }
    if (recipe.types.length === 1) {
      const equal = equalArgs(recipe.types[0], args);
      if (Object.keys(equal).length) return withEqual(recipe.types[0], equal);
    }
  }
  const at = seeded(rec, name);
  const kind = recipe.types[at % recipe.types.length];
  if (entityOf(kind) !== null) {
    const keys = living(kind);
    if (!keys.length) return isNonNullType(fieldOf(rec.type, name).type) ? new Rec(kind, '1', {}, true) : null;
    return new Rec(kind, keys[root ? 0 : at % keys.length]);
  }
  const told = textOfArgs(args);
  let key = `${rec.type}:${rec.key}.${name}${told}`;
  if (root) key = told ? name + told : SINGLE;
  return new Rec(kind, key, equalArgs(kind, args));
}
function equalArgs(kind, args) {
  const found = {};
  for (const [name, value] of Object.entries(args)) {
    const entry = fieldOf(kind, name);
    const leaf = entry === undefined || isListed(entry.type) ? null : getNamedType(entry.type);
    if (fits(value, leaf)) put(found, name, plainValue(value, leaf));
  }
  return found;
}
function withEqual(kind, equal) {
  for (const key of living(kind)) {
    const rec = new Rec(kind, key);
    if (Object.entries(equal).every(([name, value]) => text(valueOf(rec, name)) === text(value))) return rec;
  }
  return new Rec(kind, String(100000 + (hash32(textOfArgs(equal)) % 900000)), equal);
}
function represented(given) {
  const kind = isObject(given) ? text(get(given, '__typename')) : '';
  if (!isObjectType(schema.getType(kind))) return null;
  const own = equalArgs(kind, given);
  const entity = entityOf(kind);
  if (entity !== null && has(own, entity.field)) {
    const fixed = {};
    for (const [name, value] of Object.entries(own)) if (name !== entity.field) put(fixed, name, value);
    return new Rec(kind, text(own[entity.field]), fixed);
  }
  return new Rec(kind, textOfArgs(own) || SINGLE, own);
}

// ---- many values ----
function listed(rec, name, recipe, args) {
  const at = seeded(rec, name);
  const root = isRoot(rec.type);
  const types = recipe.types;
  if (!recipe.entity) {
    const start = root ? name : `${rec.type}:${rec.key}.${name}`;
    const told = textOfArgs(args);
    return Array.from({ length: 2 + (at % 2) }, (_, index) => partOf(types, at + index, `${start}[${index}]${told}`));
  }
  const wanted = (recipe.ids ?? NEVER).find((item) => Array.isArray(get(args, item)));
  if (wanted !== undefined) {
    return args[wanted]
      .filter((item) => item !== null)
      .map((item) => new Rec(typeOfKey(types, text(item)), text(item)))
      .filter((item) => !isGone(item));
  }
  let every;
  if (types.length > 1) {
    every = types.slice(0, MANY_TYPES).flatMap((kind) => living(kind).slice(0, OF_EACH).map((key) => new Rec(kind, key)));
  } else {
    every = living(types[0]).map((key) => new Rec(types[0], key));
  }
  if (!root && recipe.back !== undefined) {
    every = every.filter((item) => {
      const found = valueOf(item, recipe.back);
      return found instanceof Rec && found.type === rec.type && found.key === rec.key;
    });
  } else if (!root && every.length) {
    const all = every;
    every = Array.from({ length: Math.min(1 + (at % 3), all.length) }, (_, step) => all[(at + step) % all.length]);
  }
  return every.filter((item) => passes(item, args));
}
function partOf(types, at, key) {
  const kind = types[at % types.length];
  const keys = living(kind);
  return keys.length ? new Rec(kind, keys[at % keys.length]) : new Rec(kind, key);
}
function passes(rec, args) {
  for (const [name, wanted] of Object.entries(args)) {
    if (wanted === null || wanted === undefined || PAGING.has(name)) continue;
    if (isObject(wanted)) {
      if (!(FILTERS.has(name) ? passes(rec, wanted) : meets(rec, name, wanted))) return false;
    } else if (!holds(rec, name, wanted)) return false;
  }
  return true;
}
function meets(rec, name, wanted) {
  const options = EQUAL.map((key) => get(wanted, key)).filter((item) => item !== null && item !== undefined);
  options.push(...IN.map((key) => get(wanted, key)).filter((item) => Array.isArray(item)));
  return options.every((option) => holds(rec, name, option));
}
function holds(rec, name, wanted) {
  const entry = fieldOf(rec.type, name);
  let actual;
  if (entry === undefined || !isLeafType(getNamedType(entry.type))) {
    actual = keyOf(rec, name);
    if (actual === null) return true;
  } else actual = valueOf(rec, name);
  const options = Array.isArray(wanted) ? wanted : [wanted];
  const actuals = Array.isArray(actual) ? actual : [actual];
  return actuals.some((own) => options.some((option) => text(own) === text(option)));
}
function keyOf(rec, name) {
  const ending = ['_id', 'Id', 'ID', ''].find((item) => name.endsWith(item));
  const base = name.slice(0, name.length - ending.length);
  const entry = fieldOf(rec.type, base);
  if (entry === undefined || entry.args.length || isLeafType(getNamedType(entry.type))) return null;
  const found = valueOf(rec, base);
  return found instanceof Rec ? found.key : null;
}
function numberOf(args, names) {
  for (const name of names) {
    const value = get(args, name);
    if (Number.isInteger(value)) {
      if (value < 0) throw new GraphQLError(`"${name}" must not be negative`, { extensions: { code: 'BAD_USER_INPUT' } });
      return value;
    }
  }
  return null;
}
function windowOf(cursors, args) {
  const asked = {};
  for (const value of Object.values(args)) {
    if (isObject(value) && Object.keys(value).some((key) => PAGING.has(key))) {
      for (const [key, item] of Object.entries(value)) put(asked, key, item);
    }
  }
  for (const [key, item] of Object.entries(args)) put(asked, key, item);
  let start = 0;
  let end = cursors.length;
  const after = has(asked, 'after') ? asked.after : get(asked, 'cursor');
  if (cursors.includes(after)) start = cursors.indexOf(after) + 1;
  const before = get(asked, 'before');
  if (cursors.includes(before)) end = Math.max(start, cursors.indexOf(before));
  let limit = numberOf(asked, LIMITS);
  let offset = numberOf(asked, OFFSETS);
  const page = numberOf(asked, PAGES);
  if (page !== null) {
    limit = limit === null ? PAGE_SIZE : limit;
    offset = Math.max(0, page - 1) * limit;
  }
  if (offset !== null) start = Math.min(end, start + offset);
  if (limit !== null) end = Math.min(end, start + limit);
  const last = numberOf(asked, ['last']);
  if (last !== null) start = Math.max(start, end - last);
  return [start, end];
}
function cut(items, args) {
  const plain = {};
  for (const [key, value] of Object.entries(args)) if (!['after', 'before', 'cursor'].includes(key)) put(plain, key, value);
  return items.slice(...windowOf(items.map(() => ''), plain));
}
function paged(rec, name, recipe, args) {
  const kind = recipe.page;
  const page = pageOf(kind);
  const every = listed(rec, name, recipe, args);
  const cursors = every.map(cursorOf);
  const [start, end] = windowOf(cursors, args);
  const result = new Rec(kind, `${rec.type}:${rec.key}.${name}${textOfArgs(args)}`, equalArgs(kind, args));
  const facts = {
    more: end < every.length,
    back: start > 0,
    start: start < end ? cursors[start] : null,
    end: start < end ? cursors[end - 1] : null,
    total: every.length,
  };
  const part = every.slice(start, end);
  for (const list of page.lists) put(result.fixed, list, part);
  if (page.edges) {
    const edgeKind = getNamedType(fieldOf(kind, page.edges).type).name;
    put(result.fixed, page.edges, part.map((item) => edge(edgeKind, result.key, item)));
  }
  if (page.info) {
    const info = getNamedType(fieldOf(kind, page.info).type).name;
    put(result.fixed, page.info, new Rec(info, result.key, toldOf(info, facts)));
  }
  Object.assign(result.fixed, toldOf(kind, facts));
  return result;
}
function edge(kind, holder, item) {
  const fixed = { node: item };
  const entry = fieldOf(kind, 'cursor');
  if (entry !== undefined && fits('text', getNamedType(entry.type))) fixed.cursor = cursorOf(item);
  return new Rec(kind, `${holder}>${item.type}:${item.key}`, fixed);
}
function toldOf(kind, facts) {
  const found = {};
  for (const [name, fact] of Object.entries(infoOf(kind))) {
    const value = facts[fact];
    const type = fieldOf(kind, name).type;
    if ((value === null && !isNonNullType(type)) || fits(value, getNamedType(type))) put(found, name, value);
    else if (value === null && fits('', getNamedType(type))) put(found, name, '');
  }
  return found;
}

// ---- mutations ----
const tokenOf = (args) => {
  let found = get(args, 'clientMutationId');
  for (const value of Object.values(args)) if (isObject(value) && has(value, 'clientMutationId')) found = value.clientMutationId;
  return typeof found === 'string' ? found : null;
};
function mutate(root, name, type, args) {
  const deed = deedOf(root, name);
  const targets = deed === null ? null : done(deed, args);
  if (targets === null) {
    if (getNamedType(type).name === 'Boolean' && !isListed(type)) return true;
    const result = make(new Rec(root), name, args);
    const token = tokenOf(args);
    if (result instanceof Rec && token !== null && fieldOf(result.type, 'clientMutationId')) result.fixed.clientMutationId = token;
    return result;
  }
  for (const rec of targets) for (const listener of [...listeners]) listener({ verb: deed.verb, rec });
  return answer(name, deed.type, type, targets, args);
}
function done(deed, args) {
  if (!deed.is_entity) {
    Object.assign(keptOf(deed.type, SINGLE), mapped(deed.type, SINGLE, args));
    return [new Rec(deed.type, SINGLE)];
  }
  const keys = keysOf(deed, args);
  const isNew = deed.verb === 'upsert' && !(keys.length && living(deed.type).includes(keys[0]));
  if (deed.verb === 'create' || isNew) return [create(deed, args)];
  if (deed.verb === 'delete') return keys.length ? keys.map((key) => remove(deed, key)) : null;
  return (keys.length ? keys : living(deed.type).slice(0, 1)).map((key) => update(deed, key, args));
}
function keysOf(deed, args) {
  for (const holder of [args, ...Object.values(args).filter(isObject)]) {
    for (const name of deed.ids) {
      const value = get(holder, name);
      if (Array.isArray(value)) return value.filter((item) => item !== null).map(text);
    }
  }
  const key = identityArg(deed.ids, args);
  return key === null ? [] : [key];
}
function create(deed, args) {
  const entity = entityOf(deed.type);
  let key = identityArg([entity.field], args);
  if (!made.has(deed.type)) made.set(deed.type, []);
  const own = made.get(deed.type);
  for (let index = entity.count + own.length; key === null; index += 1) {
    const candidate = initialKey(deed.type, index);
    if (!own.includes(candidate) && !gone.has(place(deed.type, candidate))) key = candidate;
  }
  if (!living(deed.type).includes(key)) own.push(key);
  gone.delete(place(deed.type, key));
  kept.set(place(deed.type, key), mapped(deed.type, key, args));
  return new Rec(deed.type, key);
}
function mustLive(deed, key) {
  if (gone.has(place(deed.type, key))) {
    throw new GraphQLError(`${deed.type} "${key}" does not exist`, { extensions: { code: 'NOT_FOUND' } });
  }
}
function update(deed, key, args) {
  mustLive(deed, key);
  Object.assign(keptOf(deed.type, key), mapped(deed.type, key, args));
  return new Rec(deed.type, key);
}
function remove(deed, key) {
  mustLive(deed, key);
  gone.add(place(deed.type, key));
  return new Rec(deed.type, key, {}, true);
}
function mapped(kind, key, args) {
  const fields = fieldsOf(kind);
  const entity = entityOf(kind);
  const flat = {};
  for (const [name, value] of Object.entries(args)) {
    if (isObject(value) && !has(fields, name)) for (const [inner, item] of Object.entries(value)) put(flat, inner, item);
    else put(flat, name, value);
  }
  const found = {};
  for (const [name, value] of Object.entries(flat)) {
    if (entity !== null && name === entity.field) continue;
    for (const field of fieldsFor(fields, name)) {
      if ((field !== name && has(flat, field)) || fields[field].args.some((item) => isNonNullType(item.type))) continue;
      const value_ = taken(value, fields[field].type, `${kind}:${key}.${field}`);
      if (value_ !== MISSING) put(found, field, value_);
    }
  }
  return found;
}
function fieldsFor(fields, name) {
  const found = has(fields, name) ? [name] : [];
  for (const [ending, more] of [['_ids', 's'], ['Ids', 's'], ['IDs', 's'], ['_id', ''], ['Id', ''], ['ID', '']]) {
    if (!name.endsWith(ending)) continue;
    const base = name.slice(0, name.length - ending.length) + more;
    if (has(fields, base) && !isLeafType(getNamedType(fields[base].type))) return [...found, base];
  }
  return found;
}
function taken(value, type, key) {
  if (value === null || value === undefined) return isNonNullType(type) ? MISSING : null;
  const inner = nullable(type);
  if (isListType(inner)) {
    if (!Array.isArray(value)) return MISSING;
    const items = value.map((item, at) => taken(item, inner.ofType, `${key}[${at}]`));
    return items.includes(MISSING) ? MISSING : items;
  }
  if (isLeafType(inner)) return fits(value, inner) ? plainValue(value, inner) : MISSING;
  const options = possibleOf(inner);
  if (!isObject(value)) {
    if (!options.length || !isKey(value) || !isEntity(inner)) return MISSING;
    return new Rec(typeOfKey(options, String(value)), String(value));
  }
  if (!isObjectType(inner)) return MISSING;
  const entity = entityOf(inner.name);
  if (entity !== null) {
    const own = get(value, entity.field);
    return isKey(own) ? new Rec(inner.name, String(own)) : MISSING;
  }
  return new Rec(inner.name, key, mapped(inner.name, key, value));
}
function answer(name, about, type, targets, args) {
  const named = getNamedType(type);
  const list = isListed(type);
  if (isLeafType(named)) return leafAnswer(name, named, list, targets);
  const options = possibleOf(named);
  if (options.includes(about)) return list ? targets : targets[0] ?? null;
  if (!options.length) return null;
  const holding = options.filter((item) => Object.values(fieldsOf(item)).some((entry) => possibleOf(getNamedType(entry.type)).includes(about)));
  const result = new Rec((holding.length ? holding : options)[0], name);
  for (const [key, entry] of Object.entries(fieldsOf(result.type))) {
    const value = payloadPart(key, entry, about, targets, args);
    if (value !== MISSING) put(result.fixed, key, value);
  }
  return list ? [result] : result;
}
function leafAnswer(name, named, list, targets) {
  const values = targets.map((item) => identityValue(item.type, item.key));
  if (named.name === 'Boolean') return list ? [true] : true;
  if (list) return values.filter((item) => fits(item, named)).map((item) => plainValue(item, named));
  if (['Int', 'Float'].includes(named.name) && !(values.length && fits(values[0], named))) return targets.length;
  return values.length && fits(values[0], named) ? plainValue(values[0], named) : name;
}
function payloadPart(key, entry, about, targets, args) {
  const named = getNamedType(entry.type);
  const list = isListed(entry.type);
  if (!isLeafType(named)) {
    if (possibleOf(named).includes(about)) return list ? [...targets] : targets[0] ?? MISSING;
    const node = isObjectType(named) ? get(named.getFields(), 'node') : undefined;
    if (node !== undefined && possibleOf(getNamedType(node.type)).includes(about)) {
      const edges = targets.map((item) => edge(named.name, '', item));
      return list ? edges : edges[0] ?? MISSING;
    }
    return MISSING;
  }
  if (key === 'clientMutationId') return tokenOf(args) ?? (isNonNullType(entry.type) ? '' : null);
  if (named.name === 'Boolean' && DONE.test(key)) return true;
  if (named.name === 'Int' && COUNT.test(key)) return targets.length;
  const base = key.replace(/Id$/, '').replace(/ID$/, '').replace(/_id$/, '').toLowerCase();
  if (targets.length && (IDENTITY.test(key) || base === about.toLowerCase())) {
    const own = identityValue(targets[0].type, targets[0].key);
    if (fits(own, named) && !list) return plainValue(own, named);
  }
  return MISSING;
}

// ---- GraphQL ----
function resolve(source, args, _, info) {
  if (source instanceof Rec && !isRoot(source.type)) return valueOf(source, info.fieldName, args);
  const owner = info.parentType.name;
  const name = info.fieldName;
  if (owner === roots.mutation) return mutate(owner, name, info.returnType, args);
  if (owner === roots.subscription) {
    if (source && source.rec) return answer(name, source.rec.type, info.returnType, [source.rec], args);
    const deed = deedOf(owner, name);
    if (deed !== null && deed.is_entity) {
      const key = identityArg(deed.ids, args) ?? living(deed.type)[0] ?? '1';
      return answer(name, deed.type, info.returnType, [new Rec(deed.type, key)], args);
    }
  }
  return make(new Rec(owner), name, args);
}
function withCode(error, code) {
  const plain = error.toJSON ? error.toJSON() : { message: error.message };
  return { ...plain, extensions: { code, ...(plain.extensions ?? {}) } };
}

// Limits: how much one query may ask, counted before validation.
const MOST = { tokens: 15000, depth: 40, fields: 4000, same: 100, values: 60000 };
function tooMuch(document) {
  const fragments = new Map();
  for (const item of document.definitions) if (item.kind === 'FragmentDefinition') fragments.set(item.name.value, item);
  const known = new Map();
  const open = new Set();
  let reason = null;
  const typeNamed = (node) => schema.getType(node.name.value);
  function count(selection, holder, depth, root) {
    if (depth > MOST.depth) reason ??= `the query is more than ${MOST.depth} levels deep`;
    if (reason !== null) return [0, 0];
    let fields = 0;
    let values = 0;
    const names = new Map();
    for (const item of selection.selections) {
      let inner;
      if (item.kind === 'Field') {
        const name = (item.alias ?? item.name).value;
        names.set(name, (names.get(name) ?? 0) + 1);
        inner = field(item, holder, depth, root);
      } else if (item.kind === 'FragmentSpread') inner = spread(item.name.value, depth);
      else inner = count(item.selectionSet, item.typeCondition ? typeNamed(item.typeCondition) : holder, depth + 1, root);
      fields += inner[0];
      values += inner[1];
      if (fields > MOST.fields) break;
    }
    if (Math.max(0, ...names.values()) > MOST.same) reason ??= `the query asks for one field more than ${MOST.same} times in one place`;
    return [fields, values];
  }
  function field(item, holder, depth, root) {
    const found = holder && holder.getFields ? get(holder.getFields(), item.name.value) : undefined;
    if (!item.selectionSet) return [1, 1];
    const [fields, values] = count(item.selectionSet, found ? getNamedType(found.type) : null, depth + 1, false);
    const times = !found || !isListed(found.type) ? 1 : root ? 7 : 3;
    return [fields + 1, values * times + 1];
  }
  function spread(name, depth) {
    const fragment = fragments.get(name);
    if (!fragment || open.has(name)) return [0, 0];
    if (!known.has(name)) {
      open.add(name);
      known.set(name, count(fragment.selectionSet, typeNamed(fragment.typeCondition), depth + 1, false));
      open.delete(name);
    }
    return known.get(name);
  }
  for (const item of document.definitions) {
    if (item.kind !== 'OperationDefinition') continue;
    const [fields, values] = count(item.selectionSet, schema.getRootType(item.operation), 1, true);
    if (reason !== null) return reason;
    if (fields > MOST.fields) return `the query has more than ${MOST.fields} fields`;
    if (values > MOST.values) return `the query asks for more than ${MOST.values} values; ask for fewer levels of lists`;
  }
  return null;
}
function prepare(request) {
  let document;
  try {
    document = graphql.parse(request.query, { maxTokens: MOST.tokens });
  } catch (error) {
    return { errors: [withCode(error, 'GRAPHQL_PARSE_FAILED')] };
  }
  const reason = tooMuch(document);
  if (reason !== null) return { errors: [{ message: reason, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] };
  const operation = graphql.getOperationAST(document, request.operationName);
  for (const item of document.definitions) {
    if (item.kind === 'OperationDefinition' && !schema.getRootType(item.operation)) {
      const error = new GraphQLError(`The ${item.operation} operation is not supported by the schema.`, { nodes: item });
      return { errors: [withCode(error, 'GRAPHQL_VALIDATION_FAILED')] };
    }
  }
  return { document, kind: operation?.operation ?? '', operation };
}
const apollo = new ApolloServer({
  schema,
  introspection: true,
  includeStacktraceInErrorResponses: false,
  stopOnTerminationSignals: false,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
});
async function execute(request) {
  const { query, variables, operationName } = request;
  const response = await apollo.executeOperation({ query, variables, operationName: operationName ?? undefined });
  const { data, errors } = response.body.singleResult;
  const result = {};
  if (errors && errors.length) result.errors = errors;
  if (data !== undefined && !(data === null && errors && !errors.some((item) => item.path))) result.data = data;
  return result;
}
function happened(prepared, request, event) {
  const options = { schema, document: prepared.document, rootValue: event, variableValues: request.variables, operationName: request.operationName };
  const { data, errors } = graphql.executeSync(options);
  return errors ? { errors: errors.map((item) => withCode(item, 'INTERNAL_SERVER_ERROR')), data } : { data };
}
const problemsOf = (prepared) => prepared.errors ?? graphql.validate(schema, prepared.document).map((item) => withCode(item, 'GRAPHQL_VALIDATION_FAILED'));
function wanted(prepared) {
  const found = [];
  for (const item of prepared.operation.selectionSet.selections) {
    const entry = item.kind === 'Field' ? fieldOf(roots.subscription, item.name.value) : undefined;
    if (entry === undefined) continue;
    const options = possibleOf(getNamedType(entry.type));
    const types = new Set(options);
    for (const option of options) for (const inner of Object.values(fieldsOf(option))) for (const type of possibleOf(getNamedType(inner.type))) types.add(type);
    found.push([deedOf(roots.subscription, item.name.value)?.verb ?? null, types]);
  }
  return (event) => found.some(([verb, types]) => types.has(event.rec.type) && (verb === null || verb === event.verb));
}

// ---- HTTP: the draft of 2025 of GraphQL over HTTP ----
const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';
const EVENT_TYPE = 'text/event-stream';
const RANGES = { '*/*': JSON_TYPE, 'application/*': JSON_TYPE, 'text/*': EVENT_TYPE, '': JSON_TYPE };
const PATHS = new Set(['/graphql', '/graphql/', '/']);
const MAX_QUERY_BYTES = 2000000;
function preferred(accept) {
  if (!accept || !accept.trim()) return JSON_TYPE;
  let best = 0;
  let found = null;
  for (const part of accept.split(',')) {
    const pieces = part.split(';').map((piece) => piece.trim().toLowerCase());
    const media = has(RANGES, pieces[0]) ? RANGES[pieces[0]] : pieces[0];
    const stated = pieces.slice(1).find((piece) => piece.startsWith('q='));
    const number = stated === undefined ? 1 : Number(stated.slice(2));
    const weight = Number.isNaN(number) ? 1 : Math.max(0, Math.min(1, number));
    if ([JSON_TYPE, RESPONSE_TYPE, EVENT_TYPE].includes(media) && weight > best) [best, found] = [weight, media];
  }
  return found;
}
const refusal = (status, message, allow) => ({ refused: true, status, message, allow });
function readJson(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}
function readRequest(method, query, headers, body) {
  if (method === 'GET') {
    const pairs = new URLSearchParams(query);
    const last = (name) => pairs.getAll(name).at(-1);
    const data = { query: last('query') };
    if (last('operationName')) data.operationName = last('operationName');
    if (last('variables')) {
      data.variables = readJson(last('variables'));
      if (data.variables === null) return refusal(400, 'variables is no JSON object');
    }
    return requestOf(data);
  }
  if (method !== 'POST') return refusal(405, `${method} is not allowed; use POST or GET`, 'GET, POST');
  const media = (headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (media !== JSON_TYPE) return refusal(415, `the body has to be ${JSON_TYPE}`);
  return requestOf(readJson(body.toString('utf8')));
}
function requestOf(data) {
  if (Array.isArray(data)) return refusal(400, 'batches are not supported; send one operation a request');
  if (!isObject(data)) return refusal(400, 'the body is no JSON object');
  const { query, variables = null, operationName = null } = data;
  if (typeof query !== 'string' || !query.trim()) {
    const stored = isObject(data.extensions) && has(data.extensions, 'persistedQuery');
    return refusal(400, stored ? 'persisted queries are not supported; send the query' : 'the text "query" is missing');
  }
  if (variables !== null && !isObject(variables)) return refusal(400, 'variables is no JSON object');
  if (operationName !== null && typeof operationName !== 'string') return refusal(400, 'operationName is no text');
  return { query, variables: variables ?? {}, operationName: operationName || null };
}
function misused(method, prepared, media) {
  if (method === 'GET' && prepared.kind === 'mutation') return refusal(405, 'a mutation has to be sent with POST', 'POST');
  if (prepared.kind === 'subscription' && media !== EVENT_TYPE) {
    return refusal(406, `a subscription is answered as ${EVENT_TYPE}; ask for it with the header Accept`);
  }
  return null;
}
const isLoopback = (host) => host === 'localhost' || host === '[::1]' || host === '::1' || /^(::ffff:)?127(\.\d+){3}$/.test(host ?? '');
function hostOf(address) {
  try {
    return new URL(address).hostname;
  } catch {
    return null;
  }
}
function isLocal(request) {
  const { host = 'localhost', origin } = request.headers;
  const isNear = isLoopback(request.socket.remoteAddress) && isLoopback(hostOf(`http://${host}`));
  return isNear && (origin === undefined || isLoopback(hostOf(origin)));
}
const ENVIRONMENT = process.env;
const LATENCY = /^(\d+)(?:-(\d+))?$/.exec(ENVIRONMENT.MOCK_LATENCY ?? '');
const SETTINGS = {
  latency: LATENCY === null ? TABLE.options.latency : [Number(LATENCY[1]), Number(LATENCY[2] ?? LATENCY[1])],
  errorRate: Number(ENVIRONMENT.MOCK_ERROR_RATE ?? TABLE.options.errorRate),
  timeoutRate: Number(ENVIRONMENT.MOCK_TIMEOUT_RATE ?? TABLE.options.timeoutRate),
};
const HELD_MS = 60000;
let asked = 0;
async function fate() {
  asked += 1;
  const [low, high] = SETTINGS.latency;
  const roll = hash32(`${TABLE.seed}|fault|${asked}`) / 2 ** 32;
  const isHeld = roll < SETTINGS.timeoutRate;
  const wait = low + (hash32(`${TABLE.seed}|latency|${asked}`) % (high - low + 1)) + (isHeld ? HELD_MS : 0);
  if (wait > 0) await new Promise((resolveWait) => { setTimeout(resolveWait, wait); });
  if (isHeld) return refusal(504, 'this timeout is simulated');
  return roll < SETTINGS.timeoutRate + SETTINGS.errorRate ? refusal(500, 'this failure is simulated') : null;
}
const MOST_CALLS = 500;
const RECORDED_HEADERS = ['accept', 'content-type', 'upgrade', 'user-agent'];
const RECORDED_BYTES = 64000;
const calls = [];
let noted = 0;
function note(call) {
  noted += 1;
  calls.push({ seq: noted, ...call });
  if (calls.length > MOST_CALLS) calls.shift();
}
const recorded = (content) => (content.length ? content.subarray(0, RECORDED_BYTES).toString('utf8') : null);
function administered(method, own, body) {
  if ((method === 'POST' || method === 'DELETE') && own === 'reset') {
    reset();
    calls.length = 0;
    return { status: 204 };
  }
  if (method === 'GET' && own === 'export') return { status: 200, value: exported() };
  if ((method === 'POST' || method === 'PUT') && own === 'seed') return seed(body);
  if (method === 'GET' && own === 'requests') return { status: 200, value: { requests: calls } };
  if (method === 'DELETE' && own === 'requests') {
    calls.length = 0;
    return { status: 204 };
  }
  return refusal(404, "the mock's own paths are reset, export, seed and requests below /__admin/");
}
function seed(body) {
  let wished;
  try {
    wished = JSON.parse(body);
  } catch {
    return refusal(400, 'the request body is not valid JSON');
  }
  if (!isObject(wished)) return refusal(422, 'send values by their type: {"Book": [{"id": "1"}]}');
  const wrong = Object.entries(wished).flatMap(([name, items]) => seedProblems(name, items));
  if (wrong.length) return refusal(422, wrong.slice(0, 5).join('; '));
  for (const [name, items] of Object.entries(wished)) {
    for (const item of items) create({ verb: 'create', type: name, is_entity: true, ids: [] }, item);
  }
  return { status: 204 };
}
function seedProblems(name, items) {
  const entity = entityOf(name);
  if (entity === null || !Array.isArray(items)) return [`${name} is no type with an identity, or holds no list`];
  return items.flatMap((item, at) => {
    if (!isObject(item) || !isKey(get(item, entity.field))) return [`${name}/${at}: an item has to be a mapping with "${entity.field}"`];
    const key = String(item[entity.field]);
    return Object.entries(item)
      .filter(([field, value]) => field !== entity.field && !Object.keys(mapped(name, key, put({}, field, value))).length)
      .map(([field]) => `${name}/${at}: ${field} is no field that takes this value`);
  });
}
const operationOf = (prepared) => {
  if (!prepared || !prepared.operation) return null;
  const fields = prepared.operation.selectionSet.selections.filter((item) => item.kind === 'Field').map((item) => item.name.value);
  return `${prepared.kind} ${[...new Set(fields)].join(', ') || '...'}`;
};
async function handle(request, response) {
  const [path, query = ''] = request.url.split(/\?(.*)/s);
  const cors = { 'access-control-allow-origin': request.headers.origin ?? '*', 'access-control-expose-headers': '*' };
  const parts = [];
  let asked = null;
  const keep = (status, content, violations) => {
    const { headers } = request;
    const kept_ = Object.fromEntries(RECORDED_HEADERS.filter((name) => has(headers, name)).map((name) => [name, headers[name]]));
    const call = { method: request.method, path, query, headers: kept_, body: recorded(Buffer.concat(parts)), status };
    note({ ...call, response_body: recorded(Buffer.from(content)), operation: asked, violations });
  };
  const send = (status, media, content, more = {}) => {
    const body = Buffer.from(content);
    const headers = media === null ? {} : { 'content-type': media, 'content-length': body.length };
    response.writeHead(status, { ...cors, ...headers, ...more });
    response.end(body);
    if (process.env.MOCK_LOG !== '0' && !path.startsWith('/__admin/')) console.log(JSON.stringify({ method: request.method, path, status }));
  };
  const refuse = (why, media) => {
    const content = JSON.stringify({ errors: [{ message: why.message, extensions: { code: 'BAD_REQUEST' } }] });
    const type = media === null || media === EVENT_TYPE ? JSON_TYPE : media;
    send(why.status, `${type}; charset=utf-8`, content, why.allow ? { allow: why.allow } : {});
    if (!path.startsWith('/__admin/')) keep(why.status, content, [why.message]);
  };
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_QUERY_BYTES) parts.push(chunk);
  }
  if (size > MAX_QUERY_BYTES) return refuse(refusal(413, 'the request is too large'), JSON_TYPE);
  if (request.method === 'OPTIONS') {
    return send(204, null, '', {
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': '600',
      allow: 'GET, POST, OPTIONS',
    });
  }
  if (path.startsWith('/__admin/')) {
    if (!isLocal(request)) return refuse(refusal(403, "the mock's own paths are for this machine only"), JSON_TYPE);
    const answer = administered(request.method, path.slice('/__admin/'.length), Buffer.concat(parts).toString('utf8'));
    if (answer.refused) return refuse(answer, JSON_TYPE);
    return answer.value === undefined ? send(answer.status, null, '') : send(answer.status, JSON_TYPE, JSON.stringify(answer.value));
  }
  if (!PATHS.has(path)) return refuse(refusal(404, `there is nothing at ${path}; GraphQL is at /graphql`), JSON_TYPE);
  const fault = await fate();
  if (fault !== null) return refuse(fault, JSON_TYPE);
  if (request.method === 'GET' && (request.headers.accept ?? '').includes('text/html') && !query.includes('query=')) {
    return send(200, 'text/html; charset=utf-8', '<!doctype html><meta charset=utf-8><title>Mock</title><p>A GraphQL mock: send queries with POST to <code>/graphql</code>, content type <code>application/json</code>.');
  }
  const media = preferred(request.headers.accept);
  if (media === null) return refuse(refusal(406, `answers are ${JSON_TYPE}, ${RESPONSE_TYPE} or ${EVENT_TYPE}`), JSON_TYPE);
  const wish = readRequest(request.method, query, request.headers, Buffer.concat(parts));
  if (wish.refused) return refuse(wish, media);
  const prepared = prepare(wish);
  const why = prepared.errors ? null : misused(request.method, prepared, media);
  asked = operationOf(prepared);
  if (why !== null) return refuse(why, media);
  const isLive = prepared.kind === 'subscription';
  let result;
  if (prepared.errors) result = { errors: prepared.errors };
  else if (isLive) {
    const problems = problemsOf(prepared);
    result = problems.length ? { errors: problems } : happened(prepared, wish);
  } else result = await execute(wish);
  const faults = has(result, 'data') ? [] : (result.errors ?? []).map((item) => item.message);
  if (media !== EVENT_TYPE) {
    const status = media === RESPONSE_TYPE && !has(result, 'data') ? 400 : 200;
    const content = JSON.stringify(result);
    keep(status, content, faults);
    return send(status, `${media}; charset=utf-8`, content);
  }
  keep(200, JSON.stringify(result), faults);
  response.writeHead(200, { ...cors, 'content-type': `${EVENT_TYPE}; charset=utf-8`, 'cache-control': 'no-cache' });
  const next = (value) => response.write(`event: next\ndata: ${JSON.stringify(value)}\n\n`);
  next(result);
  if (!isLive || !has(result, 'data')) return response.end('event: complete\ndata:\n\n');
  const wants = wanted(prepared);
  const listener = (event) => wants(event) && next(happened(prepared, wish, event));
  listeners.add(listener);
  response.on('close', () => listeners.delete(listener));
  return undefined;
}

// ---- WebSocket: the protocol graphql-transport-ws ----
// What a subscription gives: its first result, then what happens, until the other side has enough.
function happenings(prepared, wish, first) {
  const over = { done: true, value: undefined };
  const ready = [first];
  const waiting = [];
  const wants = wanted(prepared);
  const listener = (event) => {
    if (!wants(event)) return;
    const value = happened(prepared, wish, event);
    if (waiting.length) waiting.shift()({ done: false, value });
    else ready.push(value);
  };
  let isOver = false;
  listeners.add(listener);
  const end = async () => {
    isOver = true;
    listeners.delete(listener);
    for (const tell of waiting.splice(0)) tell(over);
    return over;
  };
  const next = async () => {
    if (ready.length) return { done: false, value: ready.shift() };
    return isOver ? over : new Promise((tell) => { waiting.push(tell); });
  };
  return { next, return: end, throw: end, [Symbol.asyncIterator]() { return this; } };
}
const plain = new WeakMap();
function refusing(errors) {
  return errors.map((error) => {
    const made = new GraphQLError(error.message);
    plain.set(made, error);
    return made;
  });
}
function talk(server) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_QUERY_BYTES });
  const keep = ({ extra: { request } }, payload, result, operation) => {
    const { headers } = request;
    const kept = Object.fromEntries(RECORDED_HEADERS.filter((name) => has(headers, name)).map((name) => [name, headers[name]]));
    const [path, query = ''] = request.url.split(/\?(.*)/s);
    const call = { method: 'POST', path, query, headers: { ...kept, 'content-type': JSON_TYPE }, body: recorded(Buffer.from(JSON.stringify(payload))) };
    const violations = has(result, 'data') ? [] : (result.errors ?? []).map((item) => item.message);
    note({ ...call, status: 200, response_body: recorded(Buffer.from(JSON.stringify(result))), operation, violations });
    if (process.env.MOCK_LOG !== '0') console.log(JSON.stringify({ method: 'WEBSOCKET', path, operation }));
  };
  useServer({
    async onSubscribe(context, _, payload) {
      const fault = await fate();
      const wish = fault ?? requestOf(payload);
      const prepared = wish.refused ? null : prepare(wish);
      const errors = prepared === null ? [{ message: wish.message, extensions: { code: 'BAD_REQUEST' } }] : problemsOf(prepared);
      if (!errors.length && !prepared.operation) {
        const told = wish.operationName === null ? 'Must provide operation name if query contains multiple operations.' : `Unknown operation named "${wish.operationName}".`;
        errors.push({ message: told, extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } });
      }
      if (errors.length) {
        keep(context, payload, { errors }, prepared && operationOf(prepared));
        return refusing(errors);
      }
      return { schema, document: prepared.document, operationName: wish.operationName, contextValue: { context, payload, prepared, wish } };
    },
    async execute({ contextValue: { context, payload, prepared, wish } }) {
      const result = await execute(wish);
      keep(context, payload, result, operationOf(prepared));
      return result;
    },
    subscribe({ contextValue: { context, payload, prepared, wish } }) {
      const first = happened(prepared, wish);
      keep(context, payload, first, operationOf(prepared));
      return has(first, 'data') ? happenings(prepared, wish, first) : first;
    },
    onNext: (context, id, payload, args, result) => result,
    onError: (context, id, payload, errors) => errors.map((error) => plain.get(error) ?? error.toJSON()),
  }, sockets);
  server.on('upgrade', (request, socket, head) => {
    if (PATHS.has(request.url.split('?')[0])) sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
    else socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
}

async function main() {
  await apollo.start();
  const port = Number(process.env.PORT ?? 4000);
  const host = process.env.HOST ?? '127.0.0.1';
  const server = http.createServer((request, response) => {
    handle(request, response).catch((error) => {
      console.error(error.message);
      response.destroy();
    });
  });
  talk(server);
  server.on('error', (error) => {
    console.error(error.code === 'EADDRINUSE' ? `port ${port} is already in use` : error.message);
    process.exit(1);
  });
  server.listen(port, host, () => {
    console.log(JSON.stringify({ ready: `http://${host}:${server.address().port}/graphql` }));
  });
}

main();

// Floors of the data sets made of objects.
import { type Floors, Slab, refuse } from "./floor.ts";

const slab = new Slab(65_536);

interface Tiny {
  readonly id: number;
  readonly name: string;
  readonly ok: boolean;
}

/** Eleven bytes. Unchecked they are constants: what is left is the message. */
export const tiny: Floors = {
  encode: {
    checked(value: Tiny) {
      const { id, name, ok } = value;
      if (id >>> 0 !== id || id < 128 || id > 16_383) refuse();
      if (typeof name !== "string" || name.length !== 6 || typeof ok !== "boolean") refuse();
      const start = slab.take(11);
      const { bytes } = slab;
      bytes[start] = ok ? 1 : 0;
      bytes[start + 1] = id | 128;
      bytes[start + 2] = id >> 7;
      bytes[start + 3] = 12;
      let seen = 0;
      for (let i = 0; i < 6; i++) {
        const unit = name.charCodeAt(i);
        seen |= unit;
        bytes[start + 4 + i] = unit;
      }
      if (seen > 255) refuse();
      bytes[start + 10] = 12;
      return slab.message(start, start + 11);
    },
    unchecked() {
      const start = slab.take(11);
      const { view } = slab;
      view.setInt32(start, 0x0c24e701, true);
      view.setInt32(start + 4, 0x20616441, true);
      view.setInt32(start + 7, 0x0c2e4c20, true);
      return slab.message(start, start + 11);
    },
  },
};

interface Item {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly price: number;
}

interface User {
  readonly id: number;
  readonly key: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly phone: string;
  readonly active: boolean;
  readonly verified: boolean;
  readonly admin: boolean;
  readonly age: number;
  readonly level: number;
  readonly balance: number;
  readonly rating: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly status: string;
  readonly tags: readonly string[];
  readonly address: {
    readonly street: string;
    readonly city: string;
    readonly postCode: string;
    readonly country: string;
    readonly latitude: number;
    readonly longitude: number;
  };
  readonly items: readonly Item[];
  readonly note: string;
}

/** Which strings of the user are wide is known. */
export const user: Floors = {
  encode: { checked: (value: User) => encodeUser(value, true), unchecked: (value: User) => encodeUser(value, false) },
};

function encodeUser(value: User, checked: boolean): Uint8Array {
  const { id, key, firstName, lastName, email, phone, active, verified, admin, age, level, note } = value;
  const { balance, rating, createdAt, updatedAt, status, tags, address, items } = value;
  const { street, city, postCode, country, latitude, longitude } = address;
  const [one, two] = [items[0] as Item, items[1] as Item];
  const [tag, other] = [tags[0] as string, tags[1] as string];
  if (checked) {
    if (!(isSmall(id) && isSmall(age) && isSmall(one.quantity) && isSmall(two.quantity))) refuse();
    if (!((level | 0) === level && level >= 0 && level < 64)) refuse();
    if (!(isNumber(balance) && isNumber(rating) && isNumber(latitude) && isNumber(longitude))) refuse();
    if (!(isNumber(one.price) && isNumber(two.price) && isTime(createdAt) && isTime(updatedAt))) refuse();
    if (!(isBool(active) && isBool(verified) && isBool(admin)) || status !== "packed") refuse();
    if (!(Array.isArray(tags) && tags.length === 2 && Array.isArray(items) && items.length === 2)) refuse();
    if (!(isText(key) && isText(firstName) && isText(email) && isText(phone) && isText(postCode))) refuse();
    if (!(isText(country) && isText(note) && isText(tag) && isText(other) && isText(one.sku))) refuse();
    if (!(isText(two.sku) && isText(two.title))) refuse();
    if (!(isWide(lastName) && isWide(street) && isWide(city) && isWide(one.title))) refuse();
  }
  const start = slab.take(512);
  const { bytes, view } = slab;
  bytes[start] = (active ? 1 : 0) | (verified ? 2 : 0) | (admin ? 4 : 0) | (2 << 3);
  bytes[start + 1] = id;
  bytes[start + 2] = key.length << 1;
  bytes[start + 3] = firstName.length << 1;
  bytes[start + 4] = (lastName.length << 1) | 1;
  bytes[start + 5] = email.length << 1;
  bytes[start + 6] = phone.length << 1;
  bytes[start + 7] = age;
  bytes[start + 8] = level << 1;
  view.setFloat64(start + 9, balance, true);
  view.setFloat64(start + 17, rating, true);
  writeTime(bytes, start + 25, createdAt);
  writeTime(bytes, start + 31, updatedAt);
  bytes[start + 37] = 2;
  bytes[start + 38] = tag.length << 1;
  bytes[start + 39] = other.length << 1;
  bytes[start + 40] = (street.length << 1) | 1;
  bytes[start + 41] = (city.length << 1) | 1;
  bytes[start + 42] = postCode.length << 1;
  bytes[start + 43] = country.length << 1;
  view.setFloat64(start + 44, latitude, true);
  view.setFloat64(start + 52, longitude, true);
  bytes[start + 60] = 2;
  bytes[start + 61] = one.sku.length << 1;
  bytes[start + 62] = (one.title.length << 1) | 1;
  bytes[start + 63] = one.quantity;
  view.setFloat64(start + 64, one.price, true);
  bytes[start + 72] = two.sku.length << 1;
  bytes[start + 73] = two.title.length << 1;
  bytes[start + 74] = two.quantity;
  view.setFloat64(start + 75, two.price, true);
  bytes[start + 83] = note.length << 1;
  const narrow =
    key + firstName + email + phone + tag + other + postCode + country + one.sku + two.sku + two.title + note;
  const wideAt = start + 84 + bytes.utf8Write(narrow, start + 84);
  if (checked && wideAt !== start + 84 + narrow.length) refuse();
  const end = writeWide(bytes, wideAt, lastName + street + city + one.title);
  const size = (end - wideAt) << 1;
  bytes[end] = size >> 7;
  bytes[end + 1] = size | 128;
  bytes[end + 2] = narrow.length >> 6;
  bytes[end + 3] = (narrow.length << 1) | 129;
  return slab.message(start, end + 4);
}

function isSmall(value: unknown): boolean {
  return typeof value === "number" && (value & 127) === value;
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" && value === value;
}

/** Six bytes in base 128, zigzag. */
function isTime(value: number): boolean {
  return Number.isSafeInteger(value) && value > 2 ** 35 && value < 2 ** 41;
}

function isBool(value: unknown): boolean {
  return value === true || value === false;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length < 64;
}

/** Some character past U+00FF, and no pair of surrogates cut at either end. */
function isWide(value: string): boolean {
  if (!isText(value) || !/[^\x00-\xff]/.test(value)) return false;
  return (value.charCodeAt(0) & 0xfc00) !== 0xdc00 && (value.charCodeAt(value.length - 1) & 0xfc00) !== 0xd800;
}

function writeTime(bytes: Buffer, pos: number, ms: number): void {
  const high = Math.floor(ms * 2 ** -27);
  const low = (ms - high * 2 ** 27) << 1;
  bytes[pos] = low | 128;
  bytes[pos + 1] = (low >> 7) | 128;
  bytes[pos + 2] = (low >> 14) | 128;
  bytes[pos + 3] = (low >> 21) | 128;
  bytes[pos + 4] = high | 128;
  bytes[pos + 5] = high >> 7;
}

/** As UTF-8, which has as many bytes at least as UTF-16 for none of these texts. A native call takes longer, up to here. */
function writeWide(bytes: Buffer, start: number, text: string): number {
  let pos = start;
  let saved = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[pos++] = unit;
      saved--;
    } else if ((unit & 0xf800) !== 0xd800) {
      if (unit < 0x800) refuse();
      bytes[pos] = 0xe0 | (unit >> 12);
      bytes[pos + 1] = 0x80 | ((unit >> 6) & 63);
      bytes[pos + 2] = 0x80 | (unit & 63);
      pos += 3;
      saved++;
    } else {
      const lower = text.charCodeAt(++i);
      if (unit > 0xdbff || (lower & 0xfc00) !== 0xdc00) refuse();
      const point = (unit << 10) + lower - 0x35fdc00;
      bytes[pos] = 0xf0 | (point >> 18);
      bytes[pos + 1] = 0x80 | ((point >> 12) & 63);
      bytes[pos + 2] = 0x80 | ((point >> 6) & 63);
      bytes[pos + 3] = 0x80 | (point & 63);
      pos += 4;
    }
  }
  return saved > 0 ? refuse() : pos;
}

interface Chain {
  id: number;
  tag: string;
  next?: Chain;
}

/** Each node: whether there is another, its number in one byte or two, the length of its tag. All text is one string. */
export const chain: Floors = {
  decode: {
    checked(bytes: Buffer) {
      const end = bytes.length - 2;
      const units = (((bytes[end + 1] as number) & 127) | ((bytes[end] as number) << 7)) >> 1;
      if ((bytes[end + 1] as number) < 128 || units > end) refuse();
      const text = bytes.latin1Slice(end - units, end);
      const state = { pos: 0, taken: 0 };
      const value = readNode(bytes, text, state, 0);
      if (state.pos !== end - units || state.taken !== units) refuse();
      return value;
    },
    unchecked(bytes: Buffer) {
      const end = bytes.length - 2;
      const units = (((bytes[end + 1] as number) & 127) | ((bytes[end] as number) << 7)) >> 1;
      const text = bytes.latin1Slice(end - units, end);
      return readBelieved(bytes, text, { pos: 0, taken: 0 });
    },
  },
};

interface Place {
  pos: number;
  taken: number;
}

function readNode(bytes: Buffer, text: string, place: Place, depth: number): Chain {
  let { pos } = place;
  const more = bytes[pos] as number;
  let id = bytes[pos + 1] as number;
  pos += 2;
  if (id > 127) {
    const high = bytes[pos++] as number;
    if (high === 0 || high > 127) refuse();
    id += (high << 7) - 128;
  }
  const size = bytes[pos++] as number;
  const start = place.taken;
  const end = start + (size >> 1);
  if (more > 1 || (size & 129) !== 0 || end > text.length || depth > 511) refuse();
  place.pos = pos;
  place.taken = end;
  const tag = text.substring(start, end);
  return more === 0 ? { id, tag } : { id, tag, next: readNode(bytes, text, place, depth + 1) };
}

function readBelieved(bytes: Buffer, text: string, place: Place): Chain {
  let { pos } = place;
  const more = bytes[pos] as number;
  let id = bytes[pos + 1] as number;
  pos += 2;
  if (id > 127) id += ((bytes[pos++] as number) << 7) - 128;
  const start = place.taken;
  const end = start + ((bytes[pos++] as number) >> 1);
  place.pos = pos;
  place.taken = end;
  const tag = text.substring(start, end);
  return more === 0 ? { id, tag } : { id, tag, next: readBelieved(bytes, text, place) };
}

/**
 * The keys, all of 13 characters, have to be found and written, whatever else is done: unchecked, nothing says that the object has
 * 1,000 of them and no others by inheritance.
 */
export const map: Floors = {
  encode: {
    checked(value: Readonly<Record<string, number>>) {
      if (Object.getPrototypeOf(value) !== Object.prototype) refuse();
      return encodeMap(value, true);
    },
    unchecked: (value: Readonly<Record<string, number>>) => encodeMap(value, false),
  },
};

/** A loop by name, as 1,000 keys of one object are found in a microsecond, and two lists of them in three. */
function encodeMap(value: Readonly<Record<string, number>>, checked: boolean): Uint8Array {
  const start = slab.take(20_000);
  const { bytes } = slab;
  bytes[start] = (1000 & 127) | 128;
  bytes[start + 1] = 1000 >> 7;
  let text = "";
  let pos = start + 2;
  let count = 0;
  for (const key in value) {
    const item = value[key] as number;
    if (checked && (key.length !== 13 || item >>> 0 !== item || item > 0x1fffff)) refuse();
    count++;
    text += key;
    bytes[pos] = 26;
    bytes[pos + 1] = item | 128;
    if (item < 16_384) {
      bytes[pos + 2] = item >> 7;
      pos += 3;
    } else {
      bytes[pos + 2] = (item >> 7) | 128;
      bytes[pos + 3] = item >> 14;
      pos += 4;
    }
  }
  const end = pos + bytes.utf8Write(text, pos);
  if (checked && (count !== 1000 || end - pos !== text.length)) refuse();
  const size = text.length * 2;
  bytes[end] = size >> 14;
  bytes[end + 1] = (size >> 7) | 128;
  bytes[end + 2] = size | 128;
  return slab.message(start, end + 3);
}

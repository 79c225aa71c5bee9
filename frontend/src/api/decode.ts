import { MalformedAnswer } from './errors';

/**
 * Turns something of unknown shape into a value of a known one.
 *
 * Types vanish at run time and a service can answer anything; whatever passes a decoder is what its type says.
 * Raises MalformedAnswer, naming the path, when it is not.
 */
export type Decoder<T> = (value: unknown, path: string) => T;

export const text: Decoder<string> = (value, path) => {
  if (typeof value !== 'string') {
    throw new MalformedAnswer(path, 'text', value);
  }
  return value;
};

/** A whole number from zero up: everything that the contract counts. */
export const count: Decoder<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new MalformedAnswer(path, 'a whole number from zero up', value);
  }
  return value;
};

export const duration: Decoder<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new MalformedAnswer(path, 'a duration', value);
  }
  return value;
};

export function oneOf<const T extends string>(...allowed: readonly T[]): Decoder<T> {
  return (value, path) => {
    const match = allowed.find((candidate) => candidate === value);
    if (match === undefined) {
      throw new MalformedAnswer(path, `one of ${allowed.join(', ')}`, value);
    }
    return match;
  };
}

/** Absent and null mean the same here: services differ in how they leave a field out. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : decoder(value, path));
}

export function list<T>(decoder: Decoder<T>): Decoder<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) {
      throw new MalformedAnswer(path, 'an array', value);
    }
    return value.map((item, index) => decoder(item, `${path}[${String(index)}]`));
  };
}

/** Fields that the contract does not name are dropped: a newer service may send more. Absent ones stay absent. */
export function object<T>(fields: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MalformedAnswer(path, 'an object', value);
    }
    const source = value as Record<string, unknown>;
    const entries = Object.entries<Decoder<unknown>>(fields)
      .map(([name, decode]) => [name, decode(source[name], `${path}.${name}`)] as const)
      .filter(([, decoded]) => decoded !== undefined);
    return Object.fromEntries(entries) as T;
  };
}

// Values that JSON does not have: {"$bin": base64}, {"$date": iso} and
// {"$undefined": true} stand for them on the control interface.

/** Replaces them by their JSON form, at any depth. */
export function toJSON(v) {
  if (v === undefined) return { $undefined: true };
  if (v instanceof Date) return { $date: v.toISOString() };
  if (v instanceof ArrayBuffer) return { $bin: Buffer.from(v).toString('base64') };
  if (ArrayBuffer.isView(v)) return { $bin: Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString('base64') };
  if (Array.isArray(v)) return v.map(toJSON);
  if (v && typeof v === 'object') return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, toJSON(x)]));
  return v;
}

/** Restores them. */
export function fromJSON(v) {
  if (Array.isArray(v)) return v.map(fromJSON);
  if (!v || typeof v !== 'object') return v;
  if (typeof v.$bin === 'string') return Buffer.from(v.$bin, 'base64');
  if (typeof v.$date === 'string') return new Date(v.$date);
  if (v.$undefined) return undefined;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, fromJSON(x)]));
}

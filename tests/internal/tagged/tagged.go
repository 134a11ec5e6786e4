package tagged

import "encoding/base64"

// Encode returns a copy of a decoded JSON value in which bytes are {"$bin": base64}.
func Encode(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]string{"$bin": base64.StdEncoding.EncodeToString(v)}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = Encode(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = Encode(v[k])
		}
		return out
	}
	return v
}

// Decode replaces {"$bin": base64} in a decoded JSON value by bytes, {"$date":
// text} by its text and {"$undefined": true} by nil. It changes v.
func Decode(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = Decode(v[i])
		}
	case map[string]any:
		if s, ok := v["$bin"].(string); ok {
			b, _ := base64.StdEncoding.DecodeString(s)
			return b
		}
		if s, ok := v["$date"].(string); ok {
			return s
		}
		if v["$undefined"] != nil {
			return nil
		}
		for k := range v {
			v[k] = Decode(v[k])
		}
	}
	return v
}

package synlz

// Code tells what was wrong with the bytes that a decoder refused.
type Code int

// The codes. A zero Code is not used.
const (
	// Truncated: the input ends within the header or a token.
	Truncated Code = iota + 1
	// TooLarge: the declared size is above the caller's limit, or negative.
	TooLarge
	// BadAlgorithm: the container names neither stored (0) nor SynLZ (1).
	BadAlgorithm
	// BadChecksum: the body or the plain bytes do not have the CRC that the
	// container gives for them.
	BadChecksum
	// BadSlot: a match names an entry of the table that was never set.
	BadSlot
	// WrongLength: the stream makes more or fewer bytes than it declares.
	WrongLength
)

// String returns a few words for a log.
func (c Code) String() string {
	switch c {
	case Truncated:
		return "truncated input"
	case TooLarge:
		return "declared size above the limit"
	case BadAlgorithm:
		return "unknown algorithm"
	case BadChecksum:
		return "wrong checksum"
	case BadSlot:
		return "match of an unset slot"
	case WrongLength:
		return "length not as declared"
	}
	return "unknown fault"
}

// Error is what [Decode] and [Decompress] return for every refusal; get at it
// with errors.As. The peer is at fault, or the way between, but for TooLarge,
// which may also mean that the caller's limit is too low.
type Error struct {
	Code Code // what was wrong
}

// Error returns the text of the code, with the name of the package.
func (e *Error) Error() string { return "synlz: " + e.Code.String() }

func fault(c Code) error { return &Error{Code: c} }

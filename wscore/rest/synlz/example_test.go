package synlz_test

import (
	"errors"
	"fmt"

	"github.com/hermod-io/hermod/wscore/rest/synlz"
)

func ExampleEncode() {
	fmt.Printf("%x\n", synlz.Encode(nil, []byte("abc"), 0))
	// Output: b73f4b3600b73f4b36616263
}

func ExampleDecode() {
	wire := synlz.Encode(nil, []byte("hello hello hello hello!"), 0)
	plain, err := synlz.Decode(nil, wire, 1<<20)
	fmt.Printf("%s %v\n", plain, err)

	_, err = synlz.Decode(nil, wire, 10)
	if e, ok := errors.AsType[*synlz.Error](err); ok {
		fmt.Println(e.Code == synlz.TooLarge, err)
	}
	// Output:
	// hello hello hello hello! <nil>
	// true synlz: declared size above the limit
}

func ExampleCompress() {
	fmt.Printf("%x\n", synlz.Compress(nil, []byte("abcabcabcabcabcabc")))
	// Output: 1200080000006162637c4563
}

func ExampleDecompress() {
	plain, err := synlz.Decompress(nil, []byte("\x12\x00\x08\x00\x00\x00abc\x7c\x45c"), 18)
	fmt.Printf("%s %v\n", plain, err)
	// Output: abcabcabcabcabcabc <nil>
}

func ExampleSize() {
	plain, header, err := synlz.Size([]byte{0xc0, 0xda, 0x01, 0x00})
	fmt.Println(plain, header, err)
	// Output: 56000 4 <nil>
}

func ExampleChecksum() {
	fmt.Printf("%08x\n", synlz.Checksum([]byte("abc")))
	// Output: 364b3fb7
}

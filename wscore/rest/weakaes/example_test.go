package weakaes_test

import (
	"fmt"

	"github.com/hermod-io/hermod/wscore/rest/weakaes"
)

func ExampleDeriveKey() {
	key := weakaes.DeriveKey([]byte("pass"), []byte(weakaes.DefaultSalt), weakaes.DefaultRounds)
	fmt.Printf("%x\n", key)
	// Output: e164e205877c09c799c331f495c4b34bb40d13531578d34dc37e2569e7ff590d
}

func ExampleDeriveSha256Weak() {
	fmt.Printf("%x\n", weakaes.DeriveSha256Weak([]byte("pass")))
	// Output: 441d9a3708f10cb5eaf50c43ec69173cb433cbd2f1e0ab7e7d47fdfc2abb159b
}

func ExampleNew() {
	key := weakaes.DeriveKey([]byte("pass"), []byte(weakaes.DefaultSalt), weakaes.DefaultRounds)
	c, err := weakaes.New(key[:16], weakaes.CTR)
	if err != nil {
		fmt.Println(err)
		return
	}
	wire, _ := c.Seal(nil, []byte("hello"))
	plain, err := c.Open(nil, wire)
	fmt.Printf("%d bytes, %s %v\n", len(wire), plain, err)
	// Output: 32 bytes, hello <nil>
}

func ExampleCipher_Open() {
	c, _ := weakaes.New(make([]byte, 16), weakaes.CTR)
	_, err := c.Open(nil, make([]byte, 20))
	fmt.Println(err)
	// Output: weakaes: frame of a wrong length
}

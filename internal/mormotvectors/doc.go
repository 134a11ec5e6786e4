// Package mormotvectors holds what real mORMot 2 programs computed and sent,
// for the tests of all packages that speak with such peers.
//
// [Load] reads one of the files in testdata, [Expand] makes the bodies that they
// describe instead of holding them. The files were recorded from mORMot 2.4.16513
// (commit b900affa2) on x86-64 Linux; keys and passwords in them protect
// nothing.
//
//	var f struct{ Vectors []struct{ Key, Accept string } }
//	mormotvectors.Load(t, "challenge", &f)
//
// Limits: long contents are only there as a hash. In messages.json the payloads
// of synopsejson were recorded after the reference had decoded them in place:
// its decoder overwrites the separators with zeros.
package mormotvectors

// Package adaptertest is the suite that every adapter must pass: named cases of
// the contract in package adapters, and a model test that compares random
// concurrent work with a model made of maps.
//
//	func TestAdapter(t *testing.T) {
//		adaptertest.Run(t, adaptertest.Config{
//			Nodes: 1,
//			New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
//				a, err := memory.New()(locals[0])
//				if err != nil {
//					t.Fatal(err)
//				}
//				return []adapters.Adapter{a}
//			},
//		})
//	}
//
// An adapter that is an [adapters.Recoverer] must pass the cases of recovery as
// well; their namespaces ask for it, the others' do not.
//
// [Config] tells how clusters are made, [Run] runs everything, [SeedVariable]
// repeats a run of the model test. The namespaces and sockets behind the
// adapters are fakes of the suite; no Engine.IO is involved. What other nodes
// do is awaited, not slept for, at most ten seconds for each thing.
package adaptertest

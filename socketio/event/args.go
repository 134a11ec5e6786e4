package event

import "reflect"

// Args is embedded in a struct whose exported fields, in their order, are the
// arguments of an event or of an acknowledgement:
//
//	type Move struct {
//		event.Args
//		X, Y int
//	}
//
// Without it a struct is one argument, a JSON object. It has no size of its own
// where it is the first field.
type Args struct{}

func (Args) eventArgs() {}

// None is the type of an event without arguments, or of an empty
// acknowledgement.
type None struct{ Args }

var argsType, restType = reflect.TypeFor[Args](), reflect.TypeFor[Rest]()

func isArgs(v any) bool {
	switch v.(type) {
	case interface{ eventArgs() }, Rest:
		return true
	}
	return false
}

// Split returns the arguments that v stands for: the values of its fields if it
// is a struct that embeds Args, or a pointer to one; those in it if it is a Rest; else
// v alone. The last field may be a Rest, too.
func Split(v any) []any {
	if rest, ok := v.(Rest); ok {
		return rest
	}
	s, ok := argsStruct(v)
	if !ok {
		return []any{v}
	}
	n := s.NumField()
	args := make([]any, 0, n)
	var last reflect.Value
	for i := range n {
		if f := s.Field(i); isArgument(f) {
			args, last = append(args, f.Interface()), f
		}
	}
	if last.IsValid() && last.Type() == restType {
		args = append(args[:len(args)-1], last.Interface().(Rest)...)
	}
	return args
}

// Targets returns what the arguments of an event are to be decoded into for p,
// a non-nil pointer, to hold them: pointers to the fields if p points to a
// struct that embeds Args, else p alone. Nil has no targets. It is the inverse
// of Split: decoding argument i into Targets(&v)[i] restores v. A *Rest, the last
// target, is for all arguments from there on.
func Targets(p any) []any {
	if p == nil {
		return nil
	}
	s, ok := argsStruct(p)
	if !ok || !s.CanAddr() {
		return []any{p}
	}
	n := s.NumField()
	targets := make([]any, 0, n)
	for i := range n {
		if f := s.Field(i); isArgument(f) {
			targets = append(targets, f.Addr().Interface())
		}
	}
	return targets
}

// argsStruct returns the struct with embedded Args that v is or points to. A
// pointer to a nil pointer to such a struct is given a new struct.
func argsStruct(v any) (s reflect.Value, ok bool) {
	if s = reflect.ValueOf(v); s.Kind() == reflect.Pointer && s.Elem().Kind() == reflect.Pointer {
		p := s.Elem()
		if p.IsNil() && p.CanSet() && p.Type().Elem().Kind() == reflect.Struct && isArgs(reflect.Zero(p.Type().Elem()).Interface()) {
			p.Set(reflect.New(p.Type().Elem()))
		}
		s = p
	}
	if s.Kind() == reflect.Pointer {
		s = s.Elem()
	}
	return s, s.Kind() == reflect.Struct && s.CanInterface() && isArgs(s.Interface())
}

func isArgument(f reflect.Value) bool { return f.CanInterface() && f.Type() != argsType }

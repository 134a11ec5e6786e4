package httplist

import "strings"

// Find returns the first element that is wanted, without white space around it, or
// "". lists are the values of a header that came once or several times; empty
// elements are elements, too. RFC 9110 section 5.6.1.
func Find(lists []string, wanted func(element string) bool) string {
	for _, list := range lists {
		for element := range strings.SplitSeq(list, ",") {
			if element = strings.Trim(element, " \t"); wanted(element) {
				return element
			}
		}
	}
	return ""
}

// Has reports whether token is an element, in upper or lower case. It is not "".
func Has(lists []string, token string) bool {
	return Find(lists, func(element string) bool { return strings.EqualFold(element, token) }) != ""
}

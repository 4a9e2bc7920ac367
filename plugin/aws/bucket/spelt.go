package bucket

import (
	"reflect"
	"strings"
	"time"
	"unicode"
)

// Spelt is a value of S3's API as the spec of a Bucket resource has it: the names begin
// with a small letter, abbreviations are small as a whole (ID, CORSRules), and what is not
// set is left out.
func Spelt(value any) any { return spelt(reflect.ValueOf(value)) }

func spelt(v reflect.Value) any {
	switch v.Kind() { //nolint:exhaustive // S3's types have no others
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return spelt(v.Elem())
	case reflect.Slice:
		list := make([]any, 0, v.Len())
		for n := range v.Len() {
			list = append(list, spelt(v.Index(n)))
		}
		return list
	case reflect.Struct:
		if at, is := v.Interface().(time.Time); is {
			return at.UTC().Format(time.RFC3339)
		}
		fields := map[string]any{}
		for n := range v.NumField() {
			if name := v.Type().Field(n).Name; v.Type().Field(n).IsExported() && isSet(v.Field(n)) {
				fields[small(name)] = spelt(v.Field(n))
			}
		}
		return fields
	case reflect.Int, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Bool:
		return v.Bool()
	}
	return v.String()
}

// isSet reports whether S3 sent a field: an enumeration that it did not send is empty.
func isSet(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // all others are set
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil()
	case reflect.Slice, reflect.String:
		return v.Len() > 0
	}
	return true
}

// small is a name with its first word in small letters: "id", "corsRules", "maxAgeSeconds".
func small(name string) string {
	letters := []rune(name)
	end := 0
	for end < len(letters) && unicode.IsUpper(letters[end]) {
		end++
	}
	if end > 1 && end < len(letters) { // the last capital begins the next word
		end--
	}
	return strings.ToLower(string(letters[:max(1, end)])) + string(letters[max(1, end):])
}

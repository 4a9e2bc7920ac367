package render

import "strings"

// The partitions of AWS that are supported.
const (
	PartitionAWS   = "aws"
	PartitionGov   = "aws-us-gov"
	PartitionChina = "aws-cn"
	PartitionEUSC  = "aws-eusc"
)

// Partitions are the partitions of AWS that are supported.
func Partitions() []string {
	return []string{PartitionAWS, PartitionGov, PartitionChina, PartitionEUSC}
}

// PartitionOf is the partition a region belongs to; empty if the region is
// malformed or of a partition that is not supported (the isolated ones).
func PartitionOf(region string) string {
	if !isRegion(region) {
		return ""
	}
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return PartitionGov
	case strings.HasPrefix(region, "cn-"):
		return PartitionChina
	case strings.HasPrefix(region, "eusc-"):
		return PartitionEUSC
	case strings.Contains(region, "-iso"):
		return ""
	}
	return PartitionAWS
}

// isRegion checks the form: an area of two to four letters, at least one word,
// a number, as in us-east-2, us-gov-west-1, eusc-de-east-1.
func isRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(parts) > 4 {
		return false
	}
	area, number := parts[0], parts[len(parts)-1]
	if len(area) < 2 || len(area) > 4 || !only(area, lower) {
		return false
	}
	for _, word := range parts[1 : len(parts)-1] {
		if word == "" || !only(word, lower) {
			return false
		}
	}
	return number != "" && len(number) <= 2 && only(number, digit) && number[0] != '0'
}

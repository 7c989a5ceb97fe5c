package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
)

// sunset is a picture of that size in pixels, as JPEG.
func sunset(width, height int) ([]byte, error) {
	sky := image.NewRGBA(image.Rect(0, 0, width, height))
	sun, radius := image.Pt(width*2/3, height*2/3), height/4
	for y := range height {
		for x := range width {
			dx, dy := x-sun.X, y-sun.Y
			c := color.RGBA{R: uint8(60 + 180*y/height), G: uint8(60 + 70*y/height), B: uint8(140 - 60*y/height), A: 255}
			if dx*dx+dy*dy < radius*radius {
				c = color.RGBA{R: 255, G: 220, B: 140, A: 255}
			}
			sky.SetRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, sky, nil); err != nil {
		return nil, fmt.Errorf("paint a sunset: %w", err)
	}
	return file.Bytes(), nil
}

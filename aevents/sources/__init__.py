"""Where items come from: files, standard input, arrays, synthetic scenes."""

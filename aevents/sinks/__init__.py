"""Where items go: files, standard output, pictures, video."""

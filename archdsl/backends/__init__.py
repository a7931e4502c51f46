"""Facts to what people use: PyTorch code, pictures, pages, charts, summaries."""

// ZImageModel

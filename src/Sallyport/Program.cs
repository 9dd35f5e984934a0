Console.Error.WriteLine("sallyport");
return 2;

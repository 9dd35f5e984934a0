return await Sallyport.Cli.RunAsync(args);

// The pictures of a folder that fit some words:  dotnet run -- MODEL PICTURES STORE WORDS
using LiT;

if (args is not [var path, var pictures, var folder, var words])
{
    Console.Error.WriteLine("dotnet run -- MODEL PICTURES STORE WORDS");
    return 2;
}
using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true; // what is embedded by then is kept, and the next run goes on there
    stop.Cancel();
};
try
{
    using var model = await LitModel.LoadAsync(path, cancel: stop.Token);
    await using var store = await PictureStore.OpenAsync(folder, model, stop.Token);
    var update = await store.UpdateAsync(pictures, cancel: stop.Token); // costs what changed since the last time
    Console.Error.WriteLine($"{update.Pictures} pictures, {update.Embedded} of them embedded now");
    await foreach (var hit in store.SearchAsync(new Query { Words = words }, stop.Token))
        Console.WriteLine($"{hit.Similarity:F3}  {hit.Origin}");
    return 0;
}
catch (LitException trouble)
{
    Console.Error.WriteLine(trouble.Message);
    return 1;
}

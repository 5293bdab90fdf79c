// Which of some labels fits a photo best:  dotnet run -- MODEL PHOTO LABEL...
using LiT;

if (args is not [var path, var photo, .. { Length: > 0 } labels])
{
    Console.Error.WriteLine("dotnet run -- MODEL PHOTO LABEL...");
    return 2;
}
try
{
    using var model = await LitModel.LoadAsync(path);
    var classifier = await model.ClassifierAsync(labels);
    var answer = await classifier.ClassifyAsync(photo);
    foreach (var (label, probability) in answer.Labels)
        Console.WriteLine($"{100 * probability, 5:F1}%  {label}");
    return 0;
}
catch (LitException trouble) // something outside the program is not as it must be: one line that says what to do
{
    Console.Error.WriteLine(trouble.Message);
    return 1;
}

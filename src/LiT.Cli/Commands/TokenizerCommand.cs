using System.CommandLine;
using LiT.Files;
using LiT.Text;

namespace LiT.Cli.Commands;

/// <summary>lit tokenizer: make a vocabulary from captions, and see what it does to a text.</summary>
internal static class TokenizerCommand
{
    private enum Kind
    {
        WordPiece,
        Bpe,
        Unigram,
    }

    public static Command Build() =>
        new("tokenizer", "Make a vocabulary from captions; see what one does to a text.") { Train(), Encode() };

    private static Command Train()
    {
        DataOptions data = new();
        Option<string> place = new("--out")
        {
            Description = "File to write: vocab.txt for WordPiece, something.model for SentencePiece; or a folder.",
            Required = true,
        };
        Option<Kind> kind = new("--kind")
        {
            Description =
                "WordPiece (BERT's form), or SentencePiece with byte-pair encoding or a unigram language model.",
            DefaultValueFactory = _ => Kind.WordPiece,
        };
        Option<int> size = new("--vocabulary")
        {
            Description = "Most pieces it may have.",
            DefaultValueFactory = _ => 8000,
        };
        Option<bool> cased = new("--cased") { Description = "Keep capital letters apart from small ones." };
        Command command = new("train", "Make a vocabulary from the captions of any form of data.")
        {
            place,
            kind,
            size,
            cased,
        };
        data.AddTo(command);
        Limits.Positive(size);
        command.Does(
            (parsed, cancel) =>
            {
                var source = data.Open(parsed);
                List<string> captions = [];
                foreach (var sample in source.Read(_ => { }))
                {
                    cancel.ThrowIfCancellationRequested();
                    captions.AddRange(sample.Captions);
                }
                if (captions.Count == 0)
                    throw new LitException(
                        $"{source.Path}: none of its pictures has a caption, so there is nothing to make a vocabulary of. Give data with captions, or name the column with --caption-column."
                    );
                var (what, lower) = (parsed.GetValue(kind), !parsed.GetValue(cased));
                var path = FileOf(
                    parsed.GetRequiredValue(place),
                    what == Kind.WordPiece ? WordPiece.FileName : SentencePiece.FileName,
                    what == Kind.WordPiece ? ".txt" : ".model"
                );
                if (what == Kind.WordPiece)
                {
                    var made = WordPieceTrainer.Train(
                        captions,
                        new WordPieceTraining(parsed.GetValue(size)) { LowerCase = lower },
                        cancel
                    );
                    AtomicFile.WriteAllText(
                        path,
                        string.Concat(Enumerable.Range(0, made.VocabularySize).Select(id => made.PieceOf(id) + "\n"))
                    );
                }
                else
                    AtomicFile.WriteAllBytes(
                        path,
                        SentencePieceTrainer.Train(
                            captions,
                            new SentencePieceTraining(parsed.GetValue(size))
                            {
                                Unigram = what == Kind.Unigram,
                                LowerCase = lower,
                            },
                            cancel
                        )
                    );
                var tokenizer = Tokenizers.Open(path);
                var counts = captions
                    .Distinct(StringComparer.Ordinal)
                    .Select(caption =>
                        tokenizer.Encode(what != Kind.WordPiece && lower ? caption.ToLowerInvariant() : caption)
                    )
                    .ToList();
                var (mean, longest) = (counts.Average(ids => ids.Count), counts.Max(ids => ids.Count));
                var unknown =
                    counts.Sum(ids => ids.Count(id => id == tokenizer.UnknownId))
                    / (double)Math.Max(1, counts.Sum(ids => ids.Count));
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(
                        new
                        {
                            File = path,
                            Kind = what,
                            Pieces = tokenizer.VocabularySize,
                            Captions = captions.Count,
                            DistinctCaptions = counts.Count,
                            MeanIds = mean,
                            LongestIds = longest,
                            UnknownShare = unknown,
                        }
                    );
                else
                    Terminal.Line(
                        FormattableString.Invariant(
                            $"{path}: {tokenizer.VocabularySize} pieces from {captions.Count} captions; {mean:F1} ids a caption, at most {longest}, {100 * unknown:F2}% unknown"
                        )
                    );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static Command Encode()
    {
        Argument<string[]> texts = new("text") { Description = "Texts to look at.", Arity = ArgumentArity.OneOrMore };
        Option<string> tokenizer = new("--tokenizer")
        {
            Description = "A tokenizer's file or folder.",
            Required = true,
        };
        Command command = new("encode", "Show the pieces and ids of texts.") { texts, tokenizer };
        command.Does(parsed =>
        {
            var opened = Tokenizers.Open(
                parsed.GetRequiredValue(tokenizer),
                new TokenizerReading { Warn = Terminal.Warn }
            );
            var all = parsed.GetRequiredValue(texts).Select(text => (Text: text, Ids: opened.Encode(text))).ToList();
            if (CommonOptions.IsJson(parsed))
                Terminal.Write(
                    all.Select(one => new
                    {
                        one.Text,
                        one.Ids,
                        Pieces = one.Ids.Select(opened.PieceOf),
                    })
                );
            else
                Terminal.Table(
                    ["text", "pieces", "ids"],
                    all.Select(one =>
                        new[] { one.Text, string.Join(' ', one.Ids.Select(opened.PieceOf)), string.Join(' ', one.Ids) }
                    )
                );
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>The file itself, or the usual name in a folder.</summary>
    private static string FileOf(string place, string usual, string extension)
    {
        if (Directory.Exists(place) || Path.EndsInDirectorySeparator(place) || Path.GetExtension(place).Length == 0)
            return Path.Combine(place, usual);
        return Path.GetExtension(place) == extension
            ? place
            : throw new UsageException(
                $"--out {place}: a vocabulary of this kind is a {extension} file. Give such a name, or a folder."
            );
    }
}

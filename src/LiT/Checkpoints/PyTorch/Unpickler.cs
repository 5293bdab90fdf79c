using System.Globalization;
using System.Numerics;

namespace LiT.Checkpoints.PyTorch;

/// <summary>
/// Reads a Python pickle, protocols 0 to 5 (Python's Lib/pickletools.py describes every opcode), as data. It is a small
/// stack machine; nothing in it can call, import or open anything.
/// </summary>
internal sealed class Unpickler(PickleBytes bytes, KnownCalls calls)
{
    private static readonly object[] Small = [.. Enumerable.Range(0, 256).Select(value => (object)(long)value)];
    private static readonly object True = true,
        False = false;

    private readonly List<object?> stack = [];
    private readonly List<int> marks = [];
    private readonly Dictionary<long, object?> memo = [];

    /// <summary>The object that the pickle holds; the bytes behind it are left unread.</summary>
    /// <exception cref="LitException">The pickle is damaged, or asks for too much.</exception>
    public object? Read()
    {
        stack.Clear();
        marks.Clear();
        memo.Clear();
        while (true)
        {
            var opcode = (char)bytes.Byte();
            if (opcode == '.')
                return Pop();
            if (!Container(opcode) && !Memo(opcode) && !Object(opcode))
                Push(Plain(opcode));
        }
    }

    /// <summary>Opcodes that push a number, a text, a byte string, a constant.</summary>
    private object? Plain(char opcode)
    {
        switch (opcode)
        {
            case 'N':
                return null;
            case '\x88':
                return True;
            case '\x89':
                return False;
            case 'K':
                return Small[bytes.Byte()];
            case 'M':
                return (long)bytes.U16();
            case 'J':
                return (long)bytes.I32();
            case 'I':
                return bytes.Line() switch
                {
                    "00" => False,
                    "01" => True,
                    var line => Number(line),
                };
            case 'L':
                return Number(bytes.Line().TrimEnd('L'));
            case '\x8a':
                return Integer(bytes.Bytes(bytes.Byte()));
            case '\x8b':
                return Integer(bytes.Bytes(bytes.I32()));
            case 'G':
                return bytes.BigEndianDouble();
            case 'F':
                return double.TryParse(bytes.Line(), NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
                    ? real
                    : throw bytes.Damaged("has a number that is none");
            case 'X':
                return bytes.Text(bytes.U32());
            case '\x8c':
                return bytes.Text(bytes.Byte());
            case '\x8d':
                return bytes.Text(bytes.I64());
            case 'V':
                return bytes.Line();
            case 'U':
                return bytes.Bytes(bytes.Byte());
            case 'T':
                return bytes.Bytes(bytes.I32());
            case 'S':
                return Quoted(bytes.Line());
            case 'C':
                return bytes.Bytes(bytes.Byte());
            case 'B':
                return bytes.Bytes(bytes.U32());
            case '\x8e' or '\x96':
                return bytes.Bytes(bytes.I64());
            default:
                throw bytes.Damaged($"has an unknown opcode 0x{(int)opcode:x2} before byte {bytes.Position}");
        }
    }

    /// <summary>Opcodes that make and fill lists, tuples, dicts and sets.</summary>
    private bool Container(char opcode)
    {
        switch (opcode)
        {
            case '(':
                bytes.Charge(8);
                marks.Add(stack.Count);
                return true;
            case ')':
                Push(Array.Empty<object?>());
                return true;
            case '\x85' or '\x86' or '\x87':
                Push(PopMany(opcode - '\x84'));
                return true;
            case 't':
                Push(PopToMark());
                return true;
            case ']' or '\x8f':
                Push(NewList([]));
                return true;
            case 'l' or '\x91':
                Push(NewList(PopToMark()));
                return true;
            case '}':
                Push(NewDict([]));
                return true;
            case 'd':
                Push(NewDict(PopToMark()));
                return true;
            case 'a':
                Append(PopMany(1));
                return true;
            case 'e' or '\x90':
                Append(PopToMark());
                return true;
            case 's':
                SetItems(PopMany(2));
                return true;
            case 'u':
                SetItems(PopToMark());
                return true;
            default:
                return false;
        }
    }

    /// <summary>Opcodes that look after the stack and the memo, or frame the stream.</summary>
    private bool Memo(char opcode)
    {
        switch (opcode)
        {
            case '\x80':
                bytes.Byte();
                return true;
            case '\x95':
                bytes.I64();
                return true;
            case '0':
                Pop();
                return true;
            case '1':
                PopToMark();
                return true;
            case '2':
                Push(Top());
                return true;
            case 'q':
                Remember(bytes.Byte());
                return true;
            case 'r':
                Remember(bytes.U32());
                return true;
            case 'p':
                Remember(Index(bytes.Line()));
                return true;
            case '\x94':
                Remember(memo.Count);
                return true;
            case 'h':
                Push(Recall(bytes.Byte()));
                return true;
            case 'j':
                Push(Recall(bytes.U32()));
                return true;
            case 'g':
                Push(Recall(Index(bytes.Line())));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Opcodes that name classes, make objects and set their state.</summary>
    private bool Object(char opcode)
    {
        switch (opcode)
        {
            case 'c':
                Push(calls.Global(bytes.Line(), bytes.Line()));
                return true;
            case '\x93':
                var names = PopMany(2);
                Push(calls.Global(PickledValues.AsText(names[0]) ?? "?", PickledValues.AsText(names[1]) ?? "?"));
                return true;
            case 'R' or '\x81':
                var call = PopMany(2);
                Push(calls.Call(call[0], call[1]));
                return true;
            case '\x92':
                var withKeywords = PopMany(3);
                Push(calls.Call(withKeywords[0], withKeywords[1]));
                return true;
            case 'o':
                var parts = PopToMark();
                Push(calls.Call(parts.FirstOrDefault(), parts.Length == 0 ? null : parts[1..]));
                return true;
            case 'i':
                var named = calls.Global(bytes.Line(), bytes.Line());
                Push(calls.Call(named, PopToMark()));
                return true;
            case 'b':
                var state = Pop();
                calls.SetState(Top(), state);
                return true;
            case 'P':
                Push(calls.Persistent(bytes.Line()));
                return true;
            case 'Q':
                Push(calls.Persistent(Pop()));
                return true;
            case '\x82':
                bytes.Byte();
                Push(PickledOpaque.Instance);
                return true;
            case '\x83':
                bytes.U16();
                Push(PickledOpaque.Instance);
                return true;
            case '\x84':
                bytes.I32();
                Push(PickledOpaque.Instance);
                return true;
            default:
                return false;
        }
    }

    private void Push(object? value)
    {
        bytes.Charge(value is long or double ? 32 : 8);
        stack.Add(value);
    }

    private object? Top() => stack.Count > Floor ? stack[^1] : throw bytes.Damaged("takes from an empty stack");

    private object? Pop()
    {
        var value = Top();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private object?[] PopMany(int count)
    {
        if (stack.Count - count < Floor)
            throw bytes.Damaged("takes from an empty stack");
        return Cut(stack.Count - count);
    }

    private object?[] PopToMark()
    {
        if (marks.Count == 0)
            throw bytes.Damaged("closes what it never opened");
        var start = marks[^1];
        marks.RemoveAt(marks.Count - 1);
        return Cut(start);
    }

    private object?[] Cut(int start)
    {
        bytes.Charge(24 + 8L * (stack.Count - start));
        var values = stack.GetRange(start, stack.Count - start).ToArray();
        stack.RemoveRange(start, stack.Count - start);
        return values;
    }

    /// <summary>Nothing is taken from below the last mark.</summary>
    private int Floor => marks.Count == 0 ? 0 : marks[^1];

    private List<object?> NewList(object?[] items)
    {
        bytes.Charge(56 + 8L * items.Length);
        return [.. items];
    }

    private PickledDict NewDict(object?[] items)
    {
        bytes.Charge(80);
        var dict = new PickledDict();
        Fill(dict, items);
        return dict;
    }

    private void Append(object?[] items)
    {
        bytes.Charge(8L * items.Length);
        if (Top() is List<object?> list)
            list.AddRange(items);
    }

    private void SetItems(object?[] items)
    {
        if (Top() is PickledDict dict)
            Fill(dict, items);
    }

    private void Fill(PickledDict dict, object?[] items)
    {
        if (items.Length % 2 != 0)
            throw bytes.Damaged("has a key without a value");
        bytes.Charge(8L * items.Length);
        for (var i = 0; i < items.Length; i += 2)
            dict.Entries.Add((items[i], items[i + 1]));
    }

    private void Remember(long index)
    {
        bytes.Charge(48);
        memo[index] = Top();
    }

    private object? Recall(long index) =>
        memo.TryGetValue(index, out var value)
            ? value
            : throw bytes.Damaged($"recalls object {index}, which it never kept");

    private long Index(string line) =>
        long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : throw bytes.Damaged("has an index that is none");

    private object Number(string digits) =>
        digits.Length < 1000
        && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? Smallest(value)
            : throw bytes.Damaged("has a number that is none");

    /// <summary>A text as Python 2's repr writes it: names in old files; escapes stay as they are.</summary>
    private string Quoted(string line) =>
        line is [var open and ('\'' or '"'), .., var close] && open == close
            ? line[1..^1]
            : throw bytes.Damaged("has a text without quotes");

    private static object Integer(byte[] littleEndian) => Smallest(new BigInteger(littleEndian));

    private static object Smallest(BigInteger value) =>
        value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
}

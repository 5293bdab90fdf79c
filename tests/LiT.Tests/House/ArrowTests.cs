using ArchUnitNET.Domain;
using ArchUnitNET.Fluent.Syntax.Elements.Types;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnitV3;
using static ArchUnitNET.Fluent.ArchRuleDefinition;
using Architecture = ArchUnitNET.Domain.Architecture;

namespace LiT.Tests.House;

/// <summary>The house as docs/architecture.md draws it: who may know whom. A line that is not here is a wall.</summary>
public class ArrowTests
{
    // A project, and the projects that it may know.
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["LiT"] = [],
        ["LiT.Onnx"] = ["LiT"],
        ["LiT.Stores"] = ["LiT"],
        ["LiT.Postgres"] = ["LiT", "LiT.Stores"],
        ["LiT.USearch"] = ["LiT", "LiT.Stores"],
        ["LiT.Tuning"] = ["LiT", "LiT.Stores"],
        ["LiT.Mpi"] = ["LiT", "LiT.Stores", "LiT.Tuning"],
        ["LiT.Workbench"] = ["LiT", "LiT.Stores", "LiT.Tuning"],
        ["LiT.Server"] = ["LiT", "LiT.Stores"],
        ["LiT.Cli"] =
        [
            "LiT",
            "LiT.Onnx",
            "LiT.Stores",
            "LiT.Postgres",
            "LiT.Tuning",
            "LiT.Mpi",
            "LiT.Workbench",
            "LiT.Server",
        ],
    };

    // A room (its namespace), and the rooms of its own project that it may know.
    // Everybody may know the ground: LiT.Files, and errors, embeddings, progress and tensor memory in LiT itself.
    private static readonly Dictionary<string, string[]> Rooms = new()
    {
        // LiT
        [Ground] = [],
        ["LiT.Images"] = [],
        ["LiT.Text"] = [],
        ["LiT.Checkpoints"] = [],
        ["LiT.Compute"] = [],
        ["LiT.Towers"] = ["LiT.Images", "LiT.Checkpoints", "LiT.Compute"],
        ["LiT.Bundles"] = ["LiT.Images", "LiT.Text", "LiT.Checkpoints", "LiT.Compute", "LiT.Towers"],
        ["LiT.Classification"] = ["LiT.Checkpoints", "LiT.Compute", "LiT.Bundles"],
        // LiT.Onnx
        ["LiT.Onnx"] = [],
        // LiT.Stores
        ["LiT.Data"] = [],
        ["LiT.Stores"] = ["LiT.Data"],
        ["LiT.Embedding"] = ["LiT.Data", "LiT.Stores"],
        ["LiT.Search"] = ["LiT.Data", "LiT.Stores", "LiT.Embedding"],
        ["LiT.VectorData"] = ["LiT.Data", "LiT.Stores", "LiT.Search"],
        // LiT.Postgres
        ["LiT.Postgres"] = [],
        // LiT.USearch
        ["LiT.USearch"] = [],
        // LiT.Tuning
        ["LiT.Tuning.Optimizers"] = [],
        ["LiT.Tuning.Contrastive"] = ["LiT.Tuning.Optimizers"],
        ["LiT.Evaluation"] = [],
        ["LiT.Pretraining"] = ["LiT.Tuning.Optimizers"],
        ["LiT.Tuning.Runs"] = ["LiT.Tuning.Contrastive", "LiT.Tuning.Optimizers", "LiT.Evaluation"],
        ["LiT.Studies"] = ["LiT.Tuning.Runs", "LiT.Tuning.Contrastive", "LiT.Tuning.Optimizers", "LiT.Evaluation"],
        // LiT.Mpi
        ["LiT.Mpi"] = [],
        // LiT.Workbench
        ["LiT.Benchmarks"] = [],
        ["LiT.Catalogue"] = [],
        ["LiT.Curation"] = [],
        ["LiT.TestSets"] = [],
        ["LiT.Drawings"] = [],
        ["LiT.Planning"] = ["LiT.Benchmarks"],
        ["LiT.Duplicates"] = [],
        ["LiT.Downloads"] = ["LiT.Curation"],
        ["LiT.Reports"] = ["LiT.Curation", "LiT.Duplicates"],
        ["LiT.Quickstart"] = ["LiT.Drawings", "LiT.Reports"],
        // LiT.Server
        ["LiT.Server.Page"] = [],
        ["LiT.Server.Api"] = ["LiT.Server.Page"],
    };

    // Rooms of other projects that a room may not know although its project may: data are read, not understood.
    private static readonly Dictionary<string, string[]> Walls = new()
    {
        ["LiT.Data"] =
        [
            "LiT.Towers",
            "LiT.Text",
            "LiT.Compute",
            "LiT.Checkpoints",
            "LiT.Bundles",
            "LiT.Classification",
        ],
        ["LiT.Stores"] = ["LiT.Text", "LiT.Checkpoints", "LiT.Classification"],
        ["LiT.Tuning.Optimizers"] = ["LiT.Data", "LiT.Stores", "LiT.Embedding", "LiT.Search", "LiT.Text", "LiT.Images"],
    };

    private const string Ground = "LiT.Files";

    private static readonly Architecture House = new ArchLoader()
        .LoadAssemblies([.. Projects.Keys.Select(name => System.Reflection.Assembly.Load(name))])
        .Build();

    public static TheoryData<string> EveryProject => [.. Projects.Keys];

    public static TheoryData<string> EveryRoom => [.. Rooms.Keys];

    [Theory]
    [MemberData(nameof(EveryProject))]
    public void A_project_knows_only_those_below_it(string project)
    {
        foreach (var other in Projects.Keys.Where(name => name != project && !Projects[project].Contains(name)))
            Types()
                .That()
                .ResideInAssembly(Loaded(project))
                .Should()
                .NotDependOnAny(Types().That().ResideInAssembly(Loaded(other)))
                .Check(House);
    }

    [Theory]
    [MemberData(nameof(EveryRoom))]
    public void A_room_knows_only_the_rooms_that_its_line_names(string room)
    {
        var ofItsProject = Rooms.Keys.Where(other => ProjectOf(other) == ProjectOf(room) && other != room);
        var forbidden = ofItsProject.Except([.. Rooms[room], Ground]).Concat(Walls.GetValueOrDefault(room, []));
        foreach (var other in forbidden)
            In(room).Should().NotDependOnAny(In(other)).WithoutRequiringPositiveResults().Check(House);
    }

    [Theory]
    [MemberData(nameof(EveryRoom))]
    public void The_root_joins_the_rooms_and_no_room_of_the_library_looks_back(string room)
    {
        if (ProjectOf(room) == "LiT")
            In(room).Should().NotDependOnAny(Types().That().Are(typeof(LitModel), typeof(ModelCheck))).Check(House);
    }

    [Fact]
    public void Every_room_stands_on_this_page()
    {
        var namespaces = House
            .Types.Where(type => Projects.ContainsKey(AssemblyOf(type)) && AssemblyOf(type) != "LiT.Cli")
            .Select(type => type.Namespace.FullName)
            .Where(name =>
                name is not ("" or "LiT" or "LiT.Server") && name.StartsWith("LiT", StringComparison.Ordinal)
            )
            .Distinct();
        Assert.DoesNotContain(namespaces, name => !Rooms.Keys.Any(room => IsIn(name, room)));
    }

    private static string AssemblyOf(IType type) => type.Assembly.Name.Split(',')[0];

    private static bool IsIn(string name, string room) =>
        name == room || name.StartsWith(room + ".", StringComparison.Ordinal);

    private static System.Reflection.Assembly Loaded(string project) => System.Reflection.Assembly.Load(project);

    private static string ProjectOf(string room) =>
        House.Types.Where(type => IsIn(type.Namespace.FullName, room)).Select(AssemblyOf).First();

    private static GivenTypesConjunction In(string room) =>
        Types().That().ResideInNamespaceMatching($@"^{room.Replace(".", @"\.")}(\..*)?$");
}

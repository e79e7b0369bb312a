using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>Where servers listen: on a port that the system chose when they bound it, or on one that is held until they do.</summary>
[Trait("Check", "yes")]
[Quick]
public sealed partial class AddressTests
{
    [Fact]
    public void No_port_is_chosen_first_and_bound_later() =>
        Assert.Empty(
            from folder in new[] { "src", "tests", "bench", "tools" }
            from file in Repository.Files(folder, "*.cs")
            where !file.EndsWith("/AddressTests.cs", StringComparison.Ordinal) && !file.EndsWith("/LoopbackAddress.cs", StringComparison.Ordinal)
            from Match match in ChoosesAPort().Matches(File.ReadAllText(file))
            select $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}"
        );

    [Theory]
    [InlineData("new TcpListener(IPAddress.Loopback, 0)")]
    [InlineData("private static int FreePort()")]
    [InlineData("TestSystem.FreeUrl()")]
    [InlineData("GetUnusedTcpPort()")]
    [InlineData("socket.Bind(new IPEndPoint(IPAddress.Loopback, 0))")]
    public void It_is_seen_in_any_of_its_forms(string code) => Assert.Matches(ChoosesAPort(), code);

    [GeneratedRegex(
        @"\bTcpListener\b|\b(Get|Find|Pick|Choose)?(Free|Unused|Available)\w*(Port|Url|Address|EndPoint)\w*|\.Bind\(new IPEndPoint\(IPAddress\.Loopback"
    )]
    private static partial Regex ChoosesAPort();
}

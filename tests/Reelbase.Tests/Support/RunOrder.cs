using System.Security.Cryptography;
using System.Text;
using Reelbase.Tests.Campaigns;
using Reelbase.Tests.Conformance;
using Reelbase.Tests.Console;
using Reelbase.Tests.Features;
using Reelbase.Tests.Operations;
using Reelbase.Tests.Scenarios;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Reelbase.Tests.Support.RunOrder))]
[assembly: TestClassOrderer(typeof(Reelbase.Tests.Support.RunOrder))]
[assembly: TestMethodOrderer(typeof(Reelbase.Tests.Support.RunOrder))]
[assembly: TestCaseOrderer(typeof(Reelbase.Tests.Support.RunOrder))]

namespace Reelbase.Tests.Support;

/// <summary>
/// Tests run in the order of their names: the same on every machine. xunit's own order follows from where the repository lies, so that one folder never meets what fails in
/// another. What takes long begins first, so that the end of a run does not wait for one class alone. <c>./reelbase test --shuffle</c> takes the order of the run's seed
/// instead, to find a test that needs another one before it.
/// </summary>
public sealed class RunOrder : ITestCollectionOrderer, ITestClassOrderer, ITestMethodOrderer, ITestCaseOrderer
{
    private static readonly bool IsShuffled = Environment.GetEnvironmentVariable("REELBASE_SHUFFLE") == "yes";

    // By the sums of a recorded run (CONTRIBUTING.md); a class that is missing here costs time and nothing else.
    private static readonly string[] Longest =
    [
        .. (
            (Type[])
                [
                    typeof(BackupTests),
                    typeof(CrashPointTests.WithWebhooks),
                    typeof(PageTests),
                    typeof(CrashPointTests.WithoutWebhooks),
                    typeof(ProxyTests),
                    typeof(TypeScriptClientTests),
                    typeof(SupportStoryTests),
                    typeof(S3UploadTests),
                    typeof(AdminPasskeyTests),
                    typeof(CrashTests),
                    typeof(TelemetryTests),
                    typeof(RealtimeTests),
                ]
        ).Select(type => type.FullName!),
    ];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection
    {
        var ordered = Order(testCollections, collection => collection.TestCollectionDisplayName);
        return IsShuffled ? ordered : [.. ordered.OrderBy(one => Rank(one))];
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestClass?> OrderTestClasses<TTestClass>(IReadOnlyCollection<TTestClass?> testClasses)
        where TTestClass : notnull, ITestClass => Order(testClasses, one => one?.TestClassName);

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestMethod?> OrderTestMethods<TTestMethod>(IReadOnlyCollection<TTestMethod?> testMethods)
        where TTestMethod : notnull, ITestMethod => Order(testMethods, method => method?.MethodName);

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase => Order(testCases, test => test.TestCaseDisplayName);

    /// <summary>Classes that take turns with something shared first, then the longest ones, then all others. Sorting keeps the order of names within a rank.</summary>
    private static int Rank(ITestCollection collection)
    {
        if (collection.TestCollectionClassName is not null)
        {
            return -1;
        }
        var index = Array.FindIndex(Longest, name => collection.TestCollectionDisplayName.Split(' ').Contains(name));
        return index < 0 ? Longest.Length : index;
    }

    private static List<T> Order<T>(IEnumerable<T> all, Func<T, string?> name) =>
        [.. all.OrderBy(one => IsShuffled ? Shuffled(name(one)) : name(one), StringComparer.Ordinal)];

    private static string Shuffled(string? name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{Campaign.Seed}/{name}")));
}

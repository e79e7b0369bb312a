using System.Security.Cryptography;
using System.Text;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Reelbase.Tests.Support.RunOrder))]
[assembly: TestClassOrderer(typeof(Reelbase.Tests.Support.RunOrder))]
[assembly: TestMethodOrderer(typeof(Reelbase.Tests.Support.RunOrder))]
[assembly: TestCaseOrderer(typeof(Reelbase.Tests.Support.RunOrder))]

namespace Reelbase.Tests.Support;

/// <summary>
/// Tests run in the order of their names: the same on every machine. xunit's own order follows from where the repository lies, so that one folder never meets what fails in
/// another. <c>./reelbase test --shuffle</c> takes the order of the run's seed instead, to find a test that needs another one before it.
/// </summary>
public sealed class RunOrder : ITestCollectionOrderer, ITestClassOrderer, ITestMethodOrderer, ITestCaseOrderer
{
    private static readonly bool IsShuffled = Environment.GetEnvironmentVariable("REELBASE_SHUFFLE") == "yes";

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => Order(testCollections, collection => collection.TestCollectionDisplayName);

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestClass?> OrderTestClasses<TTestClass>(IReadOnlyCollection<TTestClass?> testClasses)
        where TTestClass : notnull, ITestClass => Order(testClasses, one => one?.TestClassName);

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestMethod?> OrderTestMethods<TTestMethod>(IReadOnlyCollection<TTestMethod?> testMethods)
        where TTestMethod : notnull, ITestMethod => Order(testMethods, method => method?.MethodName);

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase => Order(testCases, test => test.TestCaseDisplayName);

    private static List<T> Order<T>(IEnumerable<T> all, Func<T, string?> name) =>
        [.. all.OrderBy(one => IsShuffled ? Shuffled(name(one)) : name(one), StringComparer.Ordinal)];

    private static string Shuffled(string? name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{Campaign.Seed}/{name}")));
}
